import { expect, it } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { openGround } from "../support/ground.ts";

it("takes a job from the request to its results, with the product's defaults", async () => {
  await using ground = await openGround();
  const worker = ground.worker();
  const { worker: workerId } = await worker.said("ready");
  const job = await ground.enqueue("sleeps", { seconds: 0.05 }, { tags: ["e2e"] });

  expect(await job.ended()).toMatchObject({
    state: "succeeded",
    attempt: 1,
    failures: 0,
    losses: 0,
    errorKind: null,
    nodesDone: 3,
    nodesTotal: 3,
  });
  const told = job.types().filter((type) => !type.startsWith("log.line"));
  expect(told).toEqual([
    "job.enqueued",
    "job.started",
    "run.resolved",
    ...["morning", "noon", "evening"].flatMap((node) => [`node.started ${node}`, `node.succeeded ${node}`]),
    "job.succeeded",
  ]);
  expect(job.events.find(({ type }) => type === "job.started")?.data).toEqual({ worker: workerId });
  const lines = job.events
    .filter(({ type }) => type === "log.line")
    .map(({ node, data }) => [node, (data as JsonObject).text]);
  expect(lines).toContainEqual(["noon", "noon begins"]);

  const results = await job.results();
  expect(Object.keys(results)).toEqual(["evening"]);
  expect(results.evening).toBeCloseTo(0.15);

  const [attempt, ...others] = await job.attempts();
  expect(others).toEqual([]);
  expect(attempt).toMatchObject({ attempt: 1, outcome: "succeed", errorKind: null, refused: 0 });
  expect(attempt?.context).toMatchObject({
    configFile: "conf/pipelines/sleeps.yml",
    inputSources: { seconds: "request" },
  });

  const nodes = await ground.db.sql<{ node: string; state: string; durationMs: number }[]>`
    select node, state, duration_ms as "durationMs" from node_runs where job_id = ${job.id} order by started_at, node`;
  expect(nodes.map(({ node, state }) => `${node} ${state}`)).toEqual([
    "morning succeeded",
    "noon succeeded",
    "evening succeeded",
  ]);
  for (const { durationMs } of nodes) expect(durationMs).toBeGreaterThanOrEqual(50);

  worker.signal("SIGTERM");
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  await ground.processes.nothingLeft();
  const tickets = await ground.jobs.backend.depths(ground.db.sql);
  expect(tickets).toEqual([]);
}, 60_000);
