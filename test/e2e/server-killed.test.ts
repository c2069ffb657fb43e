import { join } from "node:path";
import { expect, it } from "vitest";
import { createClient, type JobEvent } from "../../src/client/client.ts";
import { uuidOf } from "../../src/domain/ids.ts";
import { openGround } from "../support/ground.ts";

const script = join(import.meta.dirname, "../support/server-process.ts");

it("goes on when the server is killed; whoever follows resumes on the next one without gap or repeat", async () => {
  await using ground = await openGround();
  const worker = ground.worker();
  const first = ground.processes.start(script, [ground.db.url]);
  const { url } = (await first.said("ready")) as unknown as { url: string };
  await worker.said("ready");
  await using client = createClient({ url: `${url}/graphql` });
  const { job } = await client.enqueue({ pipeline: "faults/sleeps", inputs: { seconds: 1 } });

  const seen: JobEvent[] = [];
  const connection: string[] = [];
  const watching = client.watch(job.id, { onConnection: (state) => connection.push(state) });
  let second = first;
  for await (const event of watching) {
    seen.push(event);
    if (event.__typename !== "NodeStarted" || second !== first) continue;
    first.signal("SIGKILL");
    await first.ended();
    // On the same port, as a supervisor would do it. What happens in between is told afterwards.
    second = ground.processes.start(script, [ground.db.url, new URL(url).port]);
  }
  expect((await watching.job).state).toBe("SUCCEEDED");
  expect(connection).toEqual(["lost", "resumed"]);
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i + 1));
  expect(seen.at(-1)?.__typename).toBe("JobSucceeded");
  expect(seen.filter(({ __typename }) => __typename === "NodeSucceeded")).toHaveLength(3);
  const attempts = (await watching.job).attempts.nodes;
  expect(attempts).toHaveLength(1);

  // A server that takes part in nothing else: every event of the job is there for who asks it.
  const told: number[] = [];
  for await (const { seq } of client.watch(job.id)) told.push(seq);
  expect(told).toEqual(seen.map(({ seq }) => seq));
}, 60_000);

it("runs jobs while no server is there, and tells of them afterwards", async () => {
  await using ground = await openGround();
  const worker = ground.worker();
  const first = ground.processes.start(script, [ground.db.url]);
  const { url } = (await first.said("ready")) as unknown as { url: string };
  await worker.said("ready");
  await using client = createClient({ url: `${url}/graphql` });
  const { job } = await client.enqueue({ pipeline: "faults/sleeps", inputs: { seconds: 0.3 } });
  first.signal("SIGKILL");
  await first.ended();
  const followed = ground.follow(uuidOf("job", job.id) ?? "");
  const row = await followed.ended();
  expect(row).toMatchObject({ state: "succeeded", attempt: 1 });

  const second = ground.processes.start(script, [ground.db.url, new URL(url).port]);
  await second.said("ready");
  const told: number[] = [];
  for await (const { seq } of client.watch(job.id)) told.push(seq);
  expect(told).toEqual(followed.events.map(({ seq }) => seq));
}, 60_000);
