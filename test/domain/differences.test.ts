import { describe, expect, it } from "vitest";
import { type Difference, differences } from "../../src/domain/differences.ts";
import type { JsonObject } from "../../src/domain/json.ts";

const unsourced = { aSource: null, bSource: null };

describe("differences", () => {
  it.each<[JsonObject, JsonObject, Omit<Difference, "aSource" | "bSource">[]]>([
    [{}, {}, []],
    [{ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, []],
    [{ a: 1 }, { a: 2 }, [{ path: "a", kind: "changed", a: 1, b: 2 }]],
    [{}, { a: null }, [{ path: "a", kind: "added", a: null, b: null }]],
    [{ a: { b: { c: 1, d: 2 } } }, { a: { b: { c: 1 } } }, [{ path: "a.b.d", kind: "removed", a: 2, b: null }]],
    [{ a: [1, 2] }, { a: [1] }, [{ path: "a", kind: "changed", a: [1, 2], b: [1] }]],
    [{ a: { b: 1 } }, { a: 1 }, [{ path: "a", kind: "changed", a: { b: 1 }, b: 1 }]],
    [{ a: "1" }, { a: 1 }, [{ path: "a", kind: "changed", a: "1", b: 1 }]],
    // A changed secret is seen to differ, and not what it is.
    [{ api_token: "x" }, { api_token: "y" }, [{ path: "api_token", kind: "changed", a: "*****", b: "*****" }]],
    [
      { credentials: { user: "a" } },
      { credentials: { user: "b" } },
      [{ path: "credentials.user", kind: "changed", a: "*****", b: "*****" }],
    ],
    [
      { url: "postgres://etl:one@db/shop", deep: [{ password: "p" }] },
      { url: "postgres://etl:two@db/shop", deep: [] },
      [
        { path: "deep", kind: "changed", a: [{ password: "*****" }], b: [] },
        { path: "url", kind: "changed", a: "postgres://etl:*****@db/shop", b: "postgres://etl:*****@db/shop" },
      ],
    ],
  ])("of %j and %j", (a, b, expected) => {
    expect(differences(a, b)).toEqual(expected.map((one) => ({ ...one, ...unsourced })));
  });

  it("take a value with its source as one", () => {
    const file = { value: 1, source: "conf/project.yml" };
    expect(differences({ x: file }, { x: { ...file } })).toEqual([]);
    expect(differences({ x: file }, { x: { value: 1, source: "request" } })).toEqual([
      { path: "x", kind: "changed", a: 1, b: 1, aSource: "conf/project.yml", bSource: "request" },
    ]);
    // A secret is known by what refers to it.
    expect(differences({ x: file }, { x: { reference: "${URL}", source: "environment URL" } })).toEqual([
      { path: "x", kind: "changed", a: 1, b: "${URL}", aSource: "conf/project.yml", bSource: "environment URL" },
    ]);
    expect(differences({}, { x: file })).toEqual([
      { path: "x", kind: "added", a: null, b: 1, aSource: null, bSource: "conf/project.yml" },
    ]);
    // A setting that is called source is none.
    expect(differences({ x: { source: "a" } }, { x: { source: "b" } })).toMatchObject([{ path: "x.source" }]);
  });

  it("end at a thousand", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key_${n}`, n]));
    expect(differences({}, many)).toHaveLength(1000);
  });
});
