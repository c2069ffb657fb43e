import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { refuseOtherStores, StoreNotSharedError } from "../../src/worker/shared-store.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => await db?.[Symbol.asyncDispose]());
beforeEach(() => db.sql`delete from workers`);

const store = (url = "file:///var/lib/queue/artifacts") => ({ id: randomUUID(), url, epoch: randomUUID() });
const register = (host: string, its: ReturnType<typeof store> | null) =>
  db.sql.begin((tx) => refuseOtherStores(tx, { id: randomUUID(), host }, its));

async function living(host: string, its: ReturnType<typeof store>): Promise<string> {
  await register(host, its);
  const id = await insertWorker(db.sql);
  await db.sql`update workers set host = ${host}, store = ${its.id} where id = ${id}`;
  return id;
}

it("refuses a store that a worker on another host does not share, and names both", async () => {
  const [theirs, own] = [store("s3://results/a"), store()];
  await living("north", theirs);
  await expect(register("south", own)).rejects.toThrow(StoreNotSharedError);
  await expect(register("south", own)).rejects.toThrow(/north keeps artifacts in s3:\/\/results\/a.*file:\/\/\/var/s);
  const stores = await db.sql`select id from artifact_stores where id = ${own.id}`;
  expect(stores).toEqual([]);
});

it("takes the same store under whatever name, and remembers the last one", async () => {
  const theirs = store("file:///mnt/results");
  await living("north", theirs);
  await register("south", { ...theirs, url: "file:///srv/results" });
  const [row] = await db.sql`select url from artifact_stores where id = ${theirs.id}`;
  expect(row).toEqual({ url: "file:///srv/results" });
});

it("minds neither workers of the same host, nor dead ones, nor who keeps nothing", async () => {
  const theirs = store();
  const id = await living("north", theirs);
  await register("north", store());
  await register("south", null);
  await db.sql`update workers set ended_at = queue_now(), state = 'dead' where id = ${id}`;
  await register("south", store());
});
