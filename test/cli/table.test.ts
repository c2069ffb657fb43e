import { expect, it } from "vitest";
import { table } from "../../src/cli/table.ts";

it("keeps all columns in the line however long one cell is", () => {
  const rows = [
    ["n".repeat(250), "file", "12 B", "text/plain, until tomorrow"],
    ["a.txt", "file", "1 B", "text/plain"],
  ];
  const lines = table(["artifact", "", "", ""], rows, 60, "…");
  expect(lines).toEqual([
    "artifact",
    `${"n".repeat(29)}…  file  12 B  text/plain, unt…`,
    `a.txt${" ".repeat(25)}  file  1 B   text/plain`,
  ]);
});

it("cuts nothing where there is no limit", () => {
  const lines = table(["name", "what"], [["n".repeat(250), "file"]]);
  expect(lines[1]).toBe(`${"n".repeat(250)}  file`);
});
