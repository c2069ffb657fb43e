import { describe, expect, it } from "vitest";
import { connect } from "../../src/db/client.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy } from "../support/proxy.ts";

describe("a pool whose connections are only half open", () => {
  it("fails what waits on them and works again", async () => {
    await using direct = await testDatabase();
    await using proxy = await openProxy(direct.url);
    await using db = await connect(proxy.url, { times: { deadlineMs: 300, lookEveryMs: 100 } });
    await db.sql`select 1`;
    await db.reads.query.queues.findMany();

    proxy.freeze();
    const waiting = db.sql`select 1`.then(
      () => "answered",
      (error: Error & { code?: string }) => error.code,
    );

    expect(await waiting).toBe("CONNECTION_DESTROYED");
    await eventually(async () => expect(await db.sql<{ one: number }[]>`select 1 as one`).toEqual([{ one: 1 }]));
    await eventually(async () => expect(await db.reads.query.queues.findMany()).toHaveLength(1));
  });
});
