import { describe, expect, it } from "vitest";
import { coalesce } from "../../src/db/coalesce.ts";
import { withRetries } from "../../src/db/retry.ts";

/** A flush that keeps what it was given and answers when it is told to. */
function heldFlush() {
  const flushes: { items: number[]; answer(): void; fail(error: Error): void }[] = [];
  let arrived: () => void = () => {};
  const flush = (items: number[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    flushes.push({ items, answer: () => resolve(items.map((item) => `r${item}`)), fail: reject });
    arrived();
    return promise;
  };
  /** Waits until that many flushes have begun. */
  const begun = async (count: number) => {
    while (flushes.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    return flushes[count - 1] as (typeof flushes)[number];
  };
  return { flush, flushes, begun };
}

describe("coalesce", () => {
  it("lets callers of one turn share a flush, in their order, and gives each its own result", async () => {
    const { flush, begun } = heldFlush();
    const write = coalesce(flush);
    const results = [3, 1, 2].map((item) => write(item));
    const only = await begun(1);
    expect(only.items).toEqual([3, 1, 2]);
    only.answer();
    expect(await Promise.all(results)).toEqual(["r3", "r1", "r2"]);
  });

  it("collects what arrives during a flush for the next one, and flushes one at a time", async () => {
    const { flush, flushes, begun } = heldFlush();
    const write = coalesce(flush);
    const first = write(1);
    const held = await begun(1);
    const later = [write(2), write(3)];
    await new Promise((resolve) => setImmediate(resolve));
    expect(flushes).toHaveLength(1);
    held.answer();
    expect(await first).toBe("r1");
    const next = await begun(2);
    expect(next.items).toEqual([2, 3]);
    next.answer();
    expect(await Promise.all(later)).toEqual(["r2", "r3"]);
  });

  it("takes no more than `most` at once, and the rest in order", async () => {
    const { flush, begun } = heldFlush();
    const write = coalesce(flush, { most: 2 });
    const results = [1, 2, 3, 4, 5].map((item) => write(item));
    for (const [count, items] of [
      [1, [1, 2]],
      [2, [3, 4]],
      [3, [5]],
    ] as const) {
      const one = await begun(count);
      expect(one.items).toEqual(items);
      one.answer();
    }
    expect(await Promise.all(results)).toEqual(["r1", "r2", "r3", "r4", "r5"]);
  });

  it("tries the items of a failed flush one by one, so that a bad one fails only its caller", async () => {
    const tried: number[][] = [];
    const write = coalesce(async (items: number[]) => {
      tried.push(items);
      if (items.includes(2)) throw new Error(`bad among ${items}`);
      return items.map((item) => `r${item}`);
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => write(item)));
    expect(results).toEqual([
      { status: "fulfilled", value: "r1" },
      { status: "rejected", reason: new Error("bad among 2") },
      { status: "fulfilled", value: "r3" },
    ]);
    expect(tried).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it("tells the only caller of a failed flush, without trying again, and goes on", async () => {
    const { flush, flushes, begun } = heldFlush();
    const write = coalesce(flush);
    const failed = expect(write(1)).rejects.toThrow("away");
    (await begun(1)).fail(new Error("away"));
    await failed;
    const second = write(2);
    (await begun(2)).answer();
    expect(await second).toBe("r2");
    expect(flushes.map(({ items }) => items)).toEqual([[1], [2]]);
  });

  it("serves a caller that comes in the moment in which the last flush ends", async () => {
    const { flush, begun } = heldFlush();
    const write = coalesce(flush);
    const chained = write(1).then(() => write(2));
    (await begun(1)).answer();
    (await begun(2)).answer();
    expect(await chained).toBe("r2");
  });
});

describe("withRetries", () => {
  const conflict = (code: string) => Object.assign(new Error(code), { code });

  it.each(["40P01", "40001"])("sends work again after %s, at most twice", async (code) => {
    let calls = 0;
    const mended = async () => {
      calls += 1;
      if (calls < 3) throw conflict(code);
      return "done";
    };
    expect(await withRetries(mended)).toBe("done");
    expect(calls).toBe(3);

    calls = 0;
    const never = async () => {
      calls += 1;
      throw conflict(code);
    };
    await expect(withRetries(never)).rejects.toThrow(code);
    expect(calls).toBe(3);
  });

  it.each(["23505", "CONNECTION_CLOSED"])("sends nothing again after %s", async (code) => {
    let calls = 0;
    await expect(
      withRetries(async () => {
        calls += 1;
        throw conflict(code);
      }),
    ).rejects.toThrow(code);
    expect(calls).toBe(1);
  });
});
