import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { followedEventTypes } from "../../src/domain/event-types.ts";
import { type FeedReader, readOn } from "../../src/events/feed-reader.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertJob } from "../support/factories.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db[Symbol.asyncDispose]());

function reader(name: string, given: Partial<FeedReader> = {}): FeedReader {
  return { name, types: followedEventTypes, batchSize: 100, from: "oldest", ...given };
}

/** The ids of the jobs whose events the reader is given, until it has read all. */
async function read(reading: FeedReader, into: string[] = []): Promise<string[]> {
  let more = true;
  while (more) {
    more = await readOn(db, reading, async (tx, events) => {
      const rows = await tx<{ id: string }[]>`select job_id as id from ${events} e order by e.xid, e.id`;
      into.push(...rows.map(({ id }) => id));
    });
  }
  return into;
}

const ended = () => insertJob(db, { state: "succeeded" });

describe("readOn", () => {
  it("gives each reader every event once, in the order of the feed, in batches", async () => {
    const before = await read(reader("one"));
    const ids = [await ended(), await ended(), await ended(), await ended(), await ended()];
    expect(await read(reader("one", { batchSize: 2 }))).toEqual(ids);
    expect(await read(reader("one"))).toEqual([]);
    expect(await read(reader("other", { batchSize: 3 }))).toEqual([...before, ...ids]);
  });

  it("begins now, when a reader wants nothing of before", async () => {
    await ended();
    expect(await read(reader("new", { from: "now" }))).toEqual([]);
    const id = await ended();
    expect(await read(reader("new", { from: "now" }))).toEqual([id]);
  });

  it("gives events again that could not be used", async () => {
    await read(reader("failing"));
    const id = await ended();
    await expect(
      readOn(db, reader("failing"), async () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await read(reader("failing"))).toEqual([id]);
  });

  it("waits with what is behind an open transaction, and misses nothing", async () => {
    await read(reader("patient"));
    const [first, second] = [await insertJob(db), await insertJob(db)];
    await db.sql.begin(async (early) => {
      await finishJob(early, first);
      await db.sql.begin((late) => finishJob(late, second));
      expect(await read(reader("patient"))).toEqual([]);
    });
    expect(await read(reader("patient"))).toEqual([first, second]);
  });

  it("writes nothing while there is nothing to read", async () => {
    const row = async () => {
      const [found] = await db.sql`select xmin::text, xmax::text, ctid::text from feed_readers where name = 'idle'`;
      return found;
    };
    await ended();
    await read(reader("idle"));
    const before = await row();
    expect(before).toBeDefined();
    await read(reader("idle"));
    expect(await row()).toEqual(before);
  });

  it("gives nothing to a second process while one reads", async () => {
    await read(reader("shared"));
    const id = await ended();
    const seen: string[] = [];
    await readOn(db, reader("shared"), async (tx, events) => {
      seen.push(...(await tx<{ id: string }[]>`select job_id as id from ${events} e`).map((row) => row.id));
      expect(await read(reader("shared"))).toEqual([]);
    });
    expect(seen).toEqual([id]);
    expect(await read(reader("shared"))).toEqual([]);
  });
});
