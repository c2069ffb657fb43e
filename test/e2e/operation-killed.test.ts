import { join } from "node:path";
import { expect, it } from "vitest";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import { createClient } from "../../src/client/client.ts";
import { CancelJobsDocument } from "../../src/client/generated/graphql.ts";
import { uuidOf } from "../../src/domain/ids.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { testDatabase } from "../support/database.ts";
import { newJob } from "../support/jobs.ts";
import { Processes } from "../support/processes.ts";

const script = join(import.meta.dirname, "../support/server-process.ts");
const count = 6000;

it("goes on with an operation whose server is killed in the middle of it, and does nothing twice", async () => {
  await using db = await testDatabase();
  await using processes = new Processes();
  for (let start = 0; start < count; start += 500) {
    await insertJobs(
      db.sql,
      graphileWorker,
      Array.from({ length: 500 }, () => newJob({ id: db.ids.next() })),
    );
  }
  // A job that somebody holds keeps the operation where it is, with some chunks done and one in the middle.
  const [held] = await db.sql<{ id: string }[]>`select id from jobs order by id offset ${count / 2} limit 1`;
  const release = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = db.sql.begin(async (tx) => {
    await tx`select from jobs where id = ${held?.id ?? ""} for update`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;

  const first = processes.start(script, [db.url, "0", "operations"]);
  const { url } = (await first.said("ready")) as unknown as { url: string };
  await using client = createClient({ url: `${url}/graphql` });
  const input = { filter: { pipeline: "bikes/daily" }, reason: "wrong day" };
  const { cancelJobs } = await client.request(CancelJobsDocument, { input });
  if (cancelJobs.__typename !== "CancelJobsSuccess" || cancelJobs.operation === null) throw new Error("No operation");
  const { id } = cancelJobs.operation;

  const letGo = async () => {
    release.resolve();
    await holding;
  };
  await using _released = { [Symbol.asyncDispose]: letGo };
  let second = first;
  let seen = 0;
  for await (const { done, state } of client.watchOperation(id)) {
    seen = Math.max(seen, done);
    if (second !== first || done < count / 2) continue;
    expect([state, done]).toEqual(["RUNNING", count / 2]);
    first.signal("SIGKILL");
    await first.ended();
    await letGo();
    // Its lease has 15 s left: who has died does not come back, and a test need not wait.
    await db.sql`update operations set lease_until = queue_now() where id = ${uuidOf("operation", id)} and holder is not null`;
    second = processes.start(script, [db.url, new URL(url).port, "operations"]);
  }
  expect(seen).toBe(count);
  expect(await client.operation(id)).toMatchObject({ state: "SUCCEEDED", done: count, failed: 0, problems: [] });
  const [told] = await db.sql`
    select count(*)::int as events, count(distinct job_id)::int as jobs from events where type = 'job.cancelled'`;
  expect(told).toEqual({ events: count, jobs: count });
  const [audited] =
    await db.sql`select count(*)::int as count, count(distinct target)::int as targets from audit where action = 'job.cancel'`;
  expect(audited).toEqual({ count, targets: count });
}, 60_000);
