import { describe, expect, it } from "vitest";
import { connect } from "../../src/db/client.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy } from "../support/proxy.ts";

describe("a pool whose connections are only half open", () => {
  it("fails what waits on them and works again", async () => {
    await using direct = await testDatabase();
    await using proxy = await openProxy(direct.url);
    await using db = await connect(proxy.url, { times: { deadlineMs: 2000, lookEveryMs: 100 } });
    await db.sql`select 1`;

    proxy.freeze();
    // On the one connection that there was; the next look may take a new one and find nothing wrong.
    const waiting = db.sql`select 1`.then(
      () => "answered",
      (error: Error & { code?: string }) => error.code,
    );

    await db.suspect();
    expect(await waiting).toBe("CONNECTION_DESTROYED");
    await eventually(async () => expect(await db.sql<{ one: number }[]>`select 1 as one`).toEqual([{ one: 1 }]));
  });

  it("is left alone while its connections are busy", async () => {
    await using db = await testDatabase({ max: 1, times: { deadlineMs: 200, lookEveryMs: 50 } });
    // Longer than the deadline, on the only connection: nobody is unheard, everybody waits.
    const [row] = await db.sql<{ slept: boolean }[]>`select true as slept from pg_sleep(1.5)`;
    expect(row?.slept).toBe(true);
  });
});
