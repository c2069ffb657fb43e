import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { openWakeups } from "../../src/events/wakeups.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy } from "../support/proxy.ts";

let db: Database;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
});

const ids = (count: number) => Array.from({ length: count }, () => db.ids.next());
const killListeners = () => db.sql`
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = 'flowerpower-queue wake-ups'`;

describe("ring", () => {
  it("tells subscribers in the process at once, and each once", async () => {
    await using wakeups = await openWakeups(db);
    await using other = await openWakeups(db);
    const heard: (readonly string[] | null)[] = [];
    wakeups.subscribe("events", (jobIds) => heard.push(jobIds));
    const [a, b] = ids(2) as [string, string];
    wakeups.ring("events", [a]);
    expect(heard).toEqual([[a]]);
    // The other's notice is behind our own in the queue: when it is here, our own has come by.
    other.ring("events", [b]);
    await eventually(() => expect(heard).toContainEqual([b]));
    expect(heard).toEqual([[a], [b]]);
  });

  it("tells the other processes by topic", async () => {
    await using here = await openWakeups(db);
    await using there = await openWakeups(db);
    const heard: [string, readonly string[] | null][] = [];
    for (const topic of ["events", "cancel", "admit", "describe"] as const) {
      there.subscribe(topic, (jobIds) => heard.push([topic, jobIds]));
    }
    const [a, b] = ids(2) as [string, string];
    here.ring("events", [a]);
    here.ring("cancel", [b]);
    here.ring("admit");
    here.ring("describe");
    here.ring("events", []); // nothing to look at
    await eventually(() => expect(heard).toHaveLength(4));
    expect(heard.toSorted()).toEqual([
      ["admit", null],
      ["cancel", [b]],
      ["describe", null],
      ["events", [a]],
    ]);
  });

  it("sends few notices for many rings, and none that Postgres would refuse", async () => {
    await using here = await openWakeups(db);
    const payloads: string[] = [];
    const listener = new pg.Client({ connectionString: db.url });
    await listener.connect();
    listener.on("notification", ({ payload }) => payloads.push(payload ?? ""));
    await listener.query("listen flowerpower_wakeups");

    const few = ids(150);
    for (const jobId of few) for (let i = 0; i < 10; i += 1) here.ring("events", [jobId]);
    await eventually(() => expect(payloads.join(" ")).toContain(few.at(-1)));
    expect(payloads).toHaveLength(2); // the first at once, the rest together
    expect(new Set(payloads.flatMap((payload) => payload.split(" ").slice(2)))).toEqual(new Set(few));

    here.ring("events", ids(1_000));
    await eventually(() => expect(payloads.at(-1)).toMatch(/ events \*$/));
    expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThan(8_000);
    expect(here.health().failedNotices).toBe(0);
    await listener.end();
  });

  it("counts notices that cannot be sent, and does not throw", async () => {
    const gone = postgres(db.url);
    await gone.end();
    await using wakeups = await openWakeups({ url: db.url, sql: gone });
    let heard = 0;
    wakeups.subscribe("admit", () => {
      heard += 1;
    });
    wakeups.ring("admit");
    expect(heard).toBe(1);
    await eventually(() => expect(wakeups.health().failedNotices).toBe(1));
  });

  it("sends what was rung just before the close", async () => {
    await using there = await openWakeups(db);
    let heard = 0;
    there.subscribe("admit", () => {
      heard += 1;
    });
    const here = await openWakeups(db);
    here.ring("describe"); // the leading notice: the next has to wait
    here.ring("admit");
    await here.close();
    await eventually(() => expect(heard).toBe(1));
  });
});

describe("the connection that listens", () => {
  it("comes back when it is terminated, and tells everybody to look everywhere", async () => {
    await using wakeups = await openWakeups(db);
    const heard: (readonly string[] | null)[] = [];
    wakeups.subscribe("cancel", (jobIds) => heard.push(jobIds));
    await killListeners();
    await eventually(() => expect(heard).toEqual([null]));
    expect(wakeups.health()).toMatchObject({ reconnects: 1, connectedSince: expect.any(Date) });

    await using other = await openWakeups(db);
    const [jobId] = ids(1) as [string];
    other.ring("cancel", [jobId]);
    await eventually(() => expect(heard).toEqual([null, [jobId]]));
  });

  it("is given up when it is only half open", async () => {
    await using proxy = await openProxy(db.url);
    await using wakeups = await openWakeups({ sql: db.sql, url: proxy.url }, { beatMs: 50, deadlineMs: 200 });
    const heard: (readonly string[] | null)[] = [];
    wakeups.subscribe("events", (jobIds) => heard.push(jobIds));
    proxy.freeze();
    await eventually(() => expect(heard).toEqual([null]));
    expect(wakeups.health().reconnects).toBe(1);
  });

  it("keeps trying while the database is away", async () => {
    await using proxy = await openProxy(db.url);
    await using wakeups = await openWakeups({ sql: db.sql, url: proxy.url });
    proxy.cut();
    await eventually(() =>
      expect(wakeups.health()).toMatchObject({ connectedSince: null, lastError: expect.any(String) }),
    );
    proxy.restore();
    await eventually(() => expect(wakeups.health()).toMatchObject({ reconnects: 1, connectedSince: expect.any(Date) }));
  });

  it("fails at the start when the database cannot be reached", async () => {
    await using proxy = await openProxy(db.url);
    proxy.cut();
    await expect(openWakeups({ sql: db.sql, url: proxy.url })).rejects.toThrow();
  });

  it("is gone after the close, and so are the subscribers that closed", async () => {
    const wakeups = await openWakeups(db);
    const subscription = wakeups.subscribe("events", () => {});
    expect(wakeups.health().subscribers).toBe(1);
    subscription.close();
    expect(wakeups.health().subscribers).toBe(0);
    await wakeups.close();
    await eventually(async () => {
      const left = await db.sql`
        select from pg_stat_activity
        where datname = current_database() and application_name = 'flowerpower-queue wake-ups'`;
      expect(left).toHaveLength(0);
    });
  });
});
