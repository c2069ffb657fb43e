import { describe, expect, it } from "vitest";
import { concurrencyOf } from "../../src/pipelines/concurrency.ts";
import { pipeline, project } from "./descriptions.ts";

const input = { name: "region", type: "str", default: { value: "north" } };
const catalogued = {
  projectName: "shop",
  name: "load",
  project: project(),
  description: pipeline({ inputs: [input] as never }),
  lastGood: null,
  publishedAt: new Date(),
};
const asked = { inputs: {}, tags: [], options: {} };
const settings = (concurrency: number | null, ...concurrencyKey: string[]) => ({ concurrency, concurrencyKey });

describe("the key of a job", () => {
  it("is the pipeline's, with what tells its jobs apart", () => {
    expect(concurrencyOf(asked, settings(null, "inputs.region"), catalogued)).toBeNull();
    expect(concurrencyOf(asked, settings(1), catalogued)).toEqual({ key: "shop/load", limit: 1 });
    const told = settings(2, "inputs.region", "tags.customer");
    expect(concurrencyOf(asked, told, catalogued)).toEqual({
      key: 'shop/load region="north" customer:',
      limit: 2,
    });
    const request = { ...asked, inputs: { region: { a: 1, b: [2] } }, tags: ["x", "customer:acme", "customer:b"] };
    expect(concurrencyOf(request, told, catalogued)?.key).toBe('shop/load region={"a":1,"b":[2]} customer:acme');
  });

  it("is short however long a value is, and its own for each value", () => {
    const key = (region: string) =>
      concurrencyOf({ ...asked, inputs: { region } }, settings(1, "inputs.region"), catalogued)?.key as string;
    expect(key("x".repeat(100_000)).length).toBeLessThan(80);
    expect(key("x".repeat(1000))).not.toBe(key("x".repeat(1001)));
    expect(key("x".repeat(1000))).toBe(key("x".repeat(1000)));
  });

  it("is the request's where it says one", () => {
    const request = { ...asked, options: { concurrency: { limit: 3, key: "warehouse" } } };
    expect(concurrencyOf(request, settings(3, "inputs.region"), catalogued)).toEqual({ key: "warehouse", limit: 3 });
  });
});
