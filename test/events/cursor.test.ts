import { describe, expect, it } from "vitest";
import { BadCursorError } from "../../src/domain/errors.ts";
import { feedCursor, jobCursor, parseFeedCursor, parseJobCursor } from "../../src/events/cursor.ts";

const epoch = "0b6c1a52-4f3e-4a55-9b0e-3d1c7a9f2e11";
const jobId = "019a9f2e-0000-7000-8000-000000000001";
const otherJob = "019a9f2e-0000-7000-8000-000000000002";
const text = (plain: string) => Buffer.from(plain).toString("base64url");

describe("a cursor of the feed", () => {
  it("reads back as it was written, up to the largest numbers", () => {
    for (const position of [
      { xid: 0n, id: 0n },
      { xid: 2n ** 64n - 1n, id: 2n ** 63n - 1n },
    ]) {
      expect(parseFeedCursor(feedCursor(epoch, position))).toEqual({ epoch, ...position });
    }
  });

  it.each([
    "",
    "garbage",
    "ÿ\u0000",
    "x".repeat(10_000),
    feedCursor(epoch, { xid: 5n, id: 1n }).slice(0, -1),
    `${feedCursor(epoch, { xid: 5n, id: 1n })}=`,
    ` ${feedCursor(epoch, { xid: 5n, id: 1n })}`,
    text(`f1:${epoch}:18446744073709551616:1`),
    text(`f1:${epoch}:1:9223372036854775808`),
    text(`f1:${epoch}:-1:1`),
    text(`f1:${epoch}:1:01`),
    text("f1:no-epoch:1:1"),
    jobCursor({ jobId, seq: 3 }),
  ])("is refused when it is not one: %j", (cursor) => {
    expect(() => parseFeedCursor(cursor)).toThrow(BadCursorError);
  });
});

describe("a cursor of a job", () => {
  it("reads back as it was written", () => {
    expect(parseJobCursor(jobCursor({ jobId, seq: 2 ** 31 - 1 }), jobId)).toBe(2 ** 31 - 1);
  });

  it("is refused for another job", () => {
    expect(() => parseJobCursor(jobCursor({ jobId, seq: 1 }), otherJob)).toThrow(/another job/);
  });

  it.each(["", "garbage", text(`j1:${jobId}:2147483648`), text(`j1:${jobId}:-1`), text(`j1:${jobId}:1.5`)])(
    "is refused when it is not one: %j",
    (cursor) => {
      expect(() => parseJobCursor(cursor, jobId)).toThrow(BadCursorError);
    },
  );

  it("is refused when it belongs to the feed", () => {
    expect(() => parseJobCursor(feedCursor(epoch, { xid: 1n, id: 1n }), jobId)).toThrow(/belongs to the feed/);
  });
});
