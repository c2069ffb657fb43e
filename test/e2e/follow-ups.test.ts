import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { eventually } from "../support/eventually.ts";
import { openGround, requestOf } from "../support/ground.ts";

const load = `import time


def loaded_day(day: int, seconds: float) -> int:
    time.sleep(seconds)
    return day * 10
`;
const report = `def total(day: int) -> int:
    return day + 1
`;

/** A project of two pipelines, of which one follows the other and takes its result. */
async function writeShop(dir: string): Promise<void> {
  for (const folder of ["conf/pipelines", "pipelines"]) await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, "conf/project.yml"), "name: shop\n");
  await writeFile(join(dir, "pipelines/load.py"), load);
  await writeFile(
    join(dir, "conf/pipelines/load.yml"),
    "run: {final_vars: [loaded_day], inputs: {day: 1, seconds: 0.3}}\n",
  );
  await writeFile(join(dir, "pipelines/report.py"), report);
  await writeFile(
    join(dir, "conf/pipelines/report.yml"),
    "job_queue:\n  after:\n    - pipeline: load\n      inputs: {day: loaded_day}\nrun: {final_vars: [total]}\n",
  );
}

it("makes a report of each load, once and from its result, although a worker is killed in between", async () => {
  await using ground = await openGround();
  const dir = join(ground.folder, "shop");
  await writeShop(dir);
  const projects = [{ name: "shop", dir }];
  const [victim, other] = [ground.worker({ projects }), ground.worker({ projects })];
  await Promise.all([victim.said("ready"), other.said("ready")]);
  const enqueue = async (day: number, seconds: number) => {
    const request = { ...requestOf("load", { day, seconds }), project: "shop", onWorkerLost: "retry" as const };
    return (await enqueueJob(ground.jobs, { name: "test", requestId: null }, request)).jobId;
  };
  const reports = () => ground.db.sql<{ id: string; parent: string; state: string }[]>`
    select j.id, d.parent_id as parent, j.state from jobs j join job_dependencies d on d.job_id = j.id
    where j.pipeline = 'report' order by d.parent_id`;

  // On an idle system what follows has begun at once.
  const first = ground.follow(await enqueue(5, 0));
  await first.ended();
  const ended = await first.event("job.succeeded");
  await eventually(async () => expect(await reports()).toHaveLength(1));
  const [made] = await reports();
  const followed = ground.follow(made?.id ?? "");
  const begun = await followed.event("job.started");
  const latencyMs = begun.recordedAt.getTime() - ended.recordedAt.getTime();
  console.log(`a job that follows started ${latencyMs} ms after the one that it follows had ended`);
  expect(latencyMs).toBeLessThan(1_000);
  expect((await followed.ended()).state).toBe("succeeded");
  expect(await followed.results()).toEqual({ total: 51 });

  const ids = await Promise.all(Array.from({ length: 8 }, (_, day) => enqueue(day, 0.3)));
  await eventually(async () => expect((await reports()).length).toBeGreaterThan(1));
  victim.signal("SIGKILL");
  for (const id of ids) expect((await ground.follow(id).ended()).state).toBe("succeeded");
  // What the dead one was about to make, or has made and not noted, is another's when the lease has ended.
  const isOpen = () => ground.db.sql`select from follow_ups where state <> 'enqueued'`;
  await vi.waitFor(
    async () => {
      expect(await reports()).toHaveLength(9);
      expect(await isOpen()).toHaveLength(0);
    },
    { timeout: 40_000, interval: 100 },
  );
  const all = await reports();
  expect(all.map(({ parent }) => parent)).toEqual([first.id, ...ids].toSorted());
  for (const [day, id] of ids.entries()) {
    const own = all.find(({ parent }) => parent === id);
    const job = ground.follow(own?.id ?? "");
    expect((await job.ended()).state).toBe("succeeded");
    expect(await job.results()).toEqual({ total: day * 10 + 1 });
  }
  expect(await reports()).toHaveLength(9);
}, 120_000);
