import { describe, expect, it } from "vitest";
import { acceptanceOf, prefersPage } from "../../src/server/accept.ts";

const json = "application/json";
const modern = "application/graphql-response+json";
const stream = "text/event-stream";

describe("the type of an answer", () => {
  it.each([
    [undefined, json],
    ["", json],
    ["*/*", json],
    ["application/*", json],
    [json, json],
    ["APPLICATION/JSON", json],
    [`${json}; charset=utf-8`, json],
    [modern, modern],
    [`${modern};charset="utf-8"`, modern],
    [`${modern}, ${json};q=0.9`, modern],
    [`${json};q=0.9, ${modern}`, modern],
    [`${json}, ${modern};q=0.9`, json],
    [`${json}, ${modern}`, json],
    [`${modern} , ${json}`, modern],
    [`${modern};q=0, ${json}`, json],
    [`${json};q=0, */*`, modern],
    [`text/html, */*;q=0.8`, json],
    [`multipart/mixed, ${modern};q=0.5, ${json};q=0.4`, modern],
    [stream, stream],
    ["text/*", stream],
    [`${stream};q=0.1, ${json}`, json],
    [`${json}, ${stream}`, json],
    [`${stream};q=0, ${json}`, json],
  ])("for %j is %s", (header, type) => {
    expect(acceptanceOf(header)?.mediaType).toBe(type);
  });

  it.each([
    "text/html",
    "image/png",
    "multipart/mixed",
    "application/jsonx",
    "xapplication/json",
    `${json}; charset=utf-16`,
    `${json};q=0`,
    "*/*;q=0",
    "nonsense",
    ",",
    ";;",
  ])("is none for %j", (header) => {
    expect(acceptanceOf(header)).toBeNull();
  });

  it("tells who knows only JSON from who takes anything", () => {
    expect(acceptanceOf(json)?.legacy).toBe(true);
    for (const header of [undefined, "*/*", "application/*", modern, stream]) {
      expect(acceptanceOf(header)?.legacy, header).toBe(false);
    }
  });

  it("is a stream of events only for who names it", () => {
    for (const header of [stream, "Text/Event-Stream", "text/*", `${json}, ${stream};q=0.1`]) {
      expect(acceptanceOf(header)?.streams, header).toBe(true);
    }
    for (const header of [undefined, "*/*", json, `${stream};q=0, ${json}`]) {
      expect(acceptanceOf(header)?.streams, header).toBe(false);
    }
  });
});

describe("the page", () => {
  it("is for browsers, and not for who prefers data", () => {
    expect(prefersPage("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")).toBe(true);
    for (const header of [undefined, "*/*", json, `${json}, text/html;q=0.9`, `text/html;q=0, ${json}`]) {
      expect(prefersPage(header), header).toBe(false);
    }
  });
});
