/** Plan, history and time left with the real FlowerPower, through GraphQL and the command line. */
import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { createClient } from "../../src/client/client.ts";
import { openGround } from "../support/ground.ts";
import { testServer } from "../support/server.ts";

it("plans a run before it is there, and knows after some runs how long the next one takes", async () => {
  await using ground = await openGround();
  const worker = ground.worker();
  await worker.said("ready");
  await using server = await testServer(ground.db);
  await using client = createClient({ url: `${server.url}/graphql` });
  const cli = async (...argv: string[]) => {
    const written = { out: "", err: "" };
    const into = (stream: keyof typeof written) => ({
      write(text: string) {
        written[stream] += text;
      },
    });
    const code = await runCli(argv, {
      env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8" },
      cwd: ground.folder,
      stdout: into("out"),
      stderr: into("err"),
      signals: new EventEmitter(),
    });
    return { code, ...written };
  };

  // What is wrong is told before anything has run, here and at the enqueue alike.
  const refused = await cli("plan", "faults/branches", "--input", "secnods=1");
  expect(refused).toMatchObject({ code: 2, err: "" });
  expect(refused.out).toContain("inputs.secnods: There is no input secnods. Did you mean seconds?");
  const before = await client.plan({ pipeline: "faults/branches", inputs: { items: 6, seconds: 0.2 } });
  expect(before).toMatchObject({ valid: true, expectedMs: null, pastRuns: 0 });
  expect(before.nodes.map(({ name, kind, inBlock }) => [name, kind, inBlock])).toEqual([
    ["item", "EXPAND", false],
    ["waited", "FUNCTION", true],
    ["squared", "FUNCTION", true],
    ["total", "COLLECT", false],
  ]);
  expect(before.inputs.find(({ name }) => name === "seconds")).toMatchObject({
    source: "REQUEST",
    value: 0.2,
    replaced: { value: 0.05, source: "conf/pipelines/branches.yml" },
  });
  expect(before.settings.executor).toMatchObject({ type: "threadpool", maxWorkers: 4 });
  // A config that nobody has used: a worker describes the pipeline under it.
  expect(await client.plan({ pipeline: "faults/branches", config: { x: 1 } })).toMatchObject({ validated: true });

  const took: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { job } = await client.enqueue({ pipeline: "faults/branches", inputs: { items: 6, seconds: 0.2 } });
    const ended = await client.watch(job.id).job;
    expect(ended.state).toBe("SUCCEEDED");
    // It ran what the plan had said.
    expect(ended.lastAttempt?.path).toEqual(before.nodes.map(({ name }) => name));
    took.push(ended.attempts.nodes[0]?.durationMs ?? 0);
  }

  // Six branches of 200 ms on four threads are two rounds.
  await using fresh = await testServer(ground.db);
  const asked = `query { planJob(input: { pipeline: "faults/branches", inputs: { items: 6, seconds: 0.2 } }) {
    ... on JobPlan { expectedMs pastRuns nodes { name expectedRuns expectedMs } } } }`;
  const { data } = await fresh.post(asked);
  const { expectedMs, pastRuns, nodes } = data.planJob;
  expect(pastRuns).toBe(3);
  expect(nodes).toMatchObject([
    { expectedRuns: 1 },
    { name: "waited", expectedRuns: 6 },
    { expectedRuns: 6 },
    { expectedRuns: 1 },
  ]);
  const waited = nodes[1].expectedMs;
  expect(waited).toBeGreaterThanOrEqual(200);
  expect(expectedMs).toBeGreaterThanOrEqual(2 * waited);
  // With what runs take beside their nodes it is what they took.
  expect(expectedMs).toBeGreaterThan(Math.min(...took) / 2);
  expect(expectedMs).toBeLessThan(Math.max(...took) * 1.5);

  const history = await cli("history", "faults/branches");
  expect(history.code).toBe(0);
  expect(history.out).toMatch(/^3 runs p50 .*\n\nNODE/);
  expect(history.out).toMatch(/\nitem +3 .* 6 /);
  expect(history.out).toMatch(/\nwaited +3 +2\d\d ms each/);

  // A running job tells what is left of it, by what its own run has expanded.
  const running = await client.enqueue({ pipeline: "faults/branches", inputs: { items: 12, seconds: 0.2 } });
  const watching = client.watch(running.job.id);
  const lefts: (number | null)[] = [];
  for await (const event of watching) {
    if (event.__typename !== "NodeExpanded" && event.__typename !== "NodeSucceeded") continue;
    const seen = await fresh.post("query ($id: ID!) { job(id: $id) { state progress { expectedMs leftMs } } }", {
      id: running.job.id,
    });
    const { state, progress } = seen.data.job;
    if (state !== "RUNNING") continue;
    // Twelve branches are three rounds, whatever was usual.
    if (event.__typename === "NodeExpanded") expect(progress.expectedMs).toBeGreaterThanOrEqual(3 * waited);
    lefts.push(progress.leftMs);
  }
  expect((await watching.job).progress).toEqual(expect.objectContaining({ expectedMs: null, leftMs: null }));
  const known = lefts.filter((left) => left !== null);
  expect(known).toHaveLength(lefts.length);
  expect(known.length).toBeGreaterThan(3);
  expect(known.at(-1)).toBeLessThan(known[0] as number);
}, 120_000);
