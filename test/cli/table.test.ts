import { describe, expect, it } from "vitest";
import { table } from "../../src/cli/table.ts";
import { clip, padded, widthOf } from "../../src/cli/terminal.ts";

describe("a table", () => {
  const name = "a_name_that_somebody_really_has_given_because_why_not_and_more_of_it";
  const head = ["JOB", "STATE", "PIPELINE", "ENQUEUED", "NOTE"];

  it("cuts long names, so that its last column is seen and no line is broken", () => {
    const rows = [["…k7fq2m", "RUNNING", `shop/${name}`, "2026-11-25 01:57:12", "3/9, 12 s left"]];
    const lines = table(head, rows, 80, "…");
    expect(lines[1]).toMatch(/^…k7fq2m {2}RUNNING {2}shop\/a_name\w*… {2}2026-11-25 01:57:12 {2}3\/9, 12 s l…$/);
    expect(lines.map(widthOf).filter((width) => width > 80)).toEqual([]);
  });

  it("leaves names whole that fit, and everything where no width is given", () => {
    const rows = [
      ["…k7fq2m", "RUNNING", "shop/daily_report", "2026-11-25 01:57:12", "a rather long note that has no room"],
    ];
    expect(table(head, rows, 80, "…")[1]).toMatch(
      /shop\/daily_report {2}2026-11-25 01:57:12 {2}a rather long n\S* ?\S*…$/,
    );
    expect(table(head, [["a", "b", name, "c", name]])[1]).toBe(`a    b      ${name}  c         ${name}`);
  });

  it("stands straight with letters of two columns", () => {
    const [, wide = "", narrow = ""] = table(
      ["NODE", "VALUE"],
      [
        ["日本", "1"],
        ["node", "2"],
      ],
    );
    expect(widthOf(wide)).toBe(widthOf(narrow));
    expect(wide).toBe("日本  1");
  });
});

describe("a text", () => {
  it("is cut by what it takes on the screen, and never within a letter", () => {
    expect(clip("日本語のログ", 7, "…")).toBe("日本語…");
    expect(clip("日本語", 6, "…")).toBe("日本語");
    expect(clip("abc👩‍👩‍👧def", 6, "…")).toBe("abc👩‍👩‍👧…");
    expect(clip("abcdef", 2, "...")).toBe("ab");
    expect(padded("日本", 6)).toBe("日本  ");
  });
});
