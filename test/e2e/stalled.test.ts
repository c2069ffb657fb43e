/** Runs that seem to have stalled are flagged, and the flag falls when they go on. */
import { expect, it } from "vitest";
import { idText } from "../../src/domain/ids.ts";
import { eventually } from "../support/eventually.ts";
import { type FollowedJob, type Ground, openGround } from "../support/ground.ts";
import { testServer } from "../support/server.ts";

async function stalledAt({ db }: Ground, { id }: FollowedJob): Promise<Date | null> {
  const [row] = await db.sql<{ at: Date | null }[]>`select stalled_at as at from jobs where id = ${id}`;
  return row?.at ?? null;
}

it("flags a run that waits in silence, once in the log, until it goes on or ends", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  await ground.worker({ stalls: { afterMs: 2000 } }).said("ready");
  const job = await ground.enqueue("sleeps", { seconds: 4 });
  const { data } = await job.event("job.stalled");
  expect(data).toMatchObject({ kind: "no_progress", forMs: expect.any(Number) });
  expect(await stalledAt(ground, job)).not.toBeNull();
  const listed = async (stalled: boolean) =>
    (
      await server.post(
        "query ($stalled: Boolean!) { jobs(filter: { stalled: $stalled }) { nodes { id stalledAt } } }",
        { stalled },
      )
    ).data.jobs.nodes;
  expect(await listed(true)).toEqual([{ id: idText("job", job.id), stalledAt: expect.any(String) }]);
  expect(await listed(false)).toEqual([]);

  await job.event("node.started", { node: "noon" });
  await eventually(async () => expect(await stalledAt(ground, job)).toBeNull());
  expect(await job.row()).toMatchObject({ state: "running" });
  await eventually(async () => expect(await stalledAt(ground, job)).not.toBeNull());
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  expect(await stalledAt(ground, job)).toBeNull();
  expect(job.events.filter(({ type }) => type === "job.stalled")).toHaveLength(1);
}, 60_000);

it("takes processor time for progress", async () => {
  await using ground = await openGround();
  await ground.worker({ stalls: { afterMs: 2000, leastSlowMs: 60_000 } }).said("ready");
  const busy = await ground.enqueue("gil", { numbers: 400_000_000 });
  expect(await busy.ended()).toMatchObject({ state: "succeeded" });
  expect(busy.types()).not.toContain("job.stalled");
}, 60_000);

it("flags a run that takes several times as long as nearly all before", async () => {
  await using ground = await openGround();
  await ground.worker({ stalls: { afterMs: 5000, leastSlowMs: 500 } }).said("ready");
  const usual = await ground.enqueue("sleeps", { seconds: 0.05 });
  await usual.ended();
  const slow = await ground.enqueue("sleeps", { seconds: 3 });
  const { data } = await slow.event("job.stalled");
  expect(data).toMatchObject({ kind: "slow", p95Ms: expect.any(Number) });
  const { forMs, p95Ms } = data as { forMs: number; p95Ms: number };
  expect(forMs).toBeGreaterThan(3 * p95Ms);
  expect(await slow.ended()).toMatchObject({ state: "succeeded" });
  expect(await stalledAt(ground, slow)).toBeNull();
}, 60_000);
