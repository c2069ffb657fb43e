import { describe, expect, it } from "vitest";
import { previewLines } from "../../src/cli/summary-text.ts";
import { counted, dueShort } from "../../src/cli/units.ts";

describe("dueShort", () => {
  const now = new Date(2026, 10, 23, 22, 0);

  it("is a time of the day when it is near, else a day", () => {
    expect(dueShort(new Date(2026, 10, 23, 8, 5), now)).toBe("08:05");
    expect(dueShort(new Date(2026, 10, 24, 3, 30), now)).toBe("03:30");
    expect(dueShort(new Date(2026, 10, 24, 22, 0), now)).toBe("11-24");
    expect(dueShort(new Date(2027, 0, 2), now)).toBe("2027-01-02");
  });
});

describe("counted", () => {
  it("has one form for one and another for the rest", () => {
    expect([0, 1, 2].map((count) => counted(count, "worker"))).toEqual(["0 workers", "1 worker", "2 workers"]);
  });
});

describe("previewLines", () => {
  const summary = { type: "pandas.DataFrame", length: null, bytes: 100, columns: null };

  it("breaks a table's preview between its columns", () => {
    const preview = "21 rows, 9 columns; first: airport='LAX', flights=48, delay=1.5";
    const lines = previewLines({ ...summary, shape: [21, 9], preview }, 30);
    expect(lines).toEqual(["21 rows, 9 columns;", "first: airport='LAX',", "flights=48, delay=1.5"]);
  });

  it("leaves out what is told in one line", () => {
    expect(previewLines({ ...summary, shape: null, preview: "40.63" }, 30)).toEqual([]);
  });
});
