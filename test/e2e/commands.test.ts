import { join } from "node:path";
import { expect, it } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { ServerDocument } from "../../src/client/generated/graphql.ts";
import { openDataFolder } from "../../src/db/data-folder.ts";
import { nothingRunsOn, temporaryFolder } from "../db/embedded-support.ts";
import { insertWorker } from "../support/factories.ts";
import { openGround } from "../support/ground.ts";
import { Processes, type TestProcess, until } from "../support/processes.ts";
import { testPython } from "../support/python.ts";
import { examples } from "../support/runtimes.ts";

const main = join(import.meta.dirname, "../../src/cli/main.ts");
const project = `faults=${join(examples, "faults")}`;

it("`up` survives a signal to its whole group until its run has ended, and leaves nothing behind", async () => {
  using folder = temporaryFolder();
  const data = join(folder.path, "data");
  await using processes = new Processes();
  const up = processes.start(main, ["up", "--project", project, "--data", data, "--slots", "1"], await environment());
  const url = /(http:\S+graphql)/.exec(await line(up, /GraphiQL/))?.[1] ?? "";
  await using client = createClient({ url });
  const { job } = await client.enqueue({ pipeline: "faults/sleeps", inputs: { seconds: 1 } });

  const watching = client.watch(job.id);
  let family: ReturnType<TestProcess["family"]> = [];
  for await (const event of watching) {
    if (event.__typename !== "NodeStarted") continue;
    if (event.node === "morning") {
      family = up.family();
      // A Ctrl-C in a terminal, a stop by systemd or Docker: everybody gets it.
      up.signalGroup("SIGINT");
    } else {
      expect(family.filter((one) => !one.isAlive()).map(({ command }) => command)).toEqual([]);
    }
  }
  expect((await watching.job).state).toBe("SUCCEEDED");
  expect(family.some(({ command }) => command.includes("postgres"))).toBe(true);
  expect(family.some(({ command }) => command.includes("flowerpower_job_queue"))).toBe(true);
  expect(await up.ended()).toEqual({ code: 0, signal: null });
  await processes.nothingLeft();
  await nothingRunsOn(data);
  // Nobody has the folder any more.
  using opened = openDataFolder(data);
  expect(opened.path).toBe(data);
}, 90_000);

it("`up` that is killed leaves nothing behind either, and the next one gives the interrupted run back", async () => {
  using folder = temporaryFolder();
  const data = join(folder.path, "data");
  await using processes = new Processes();
  const args = ["up", "--project", project, "--data", data, "--slots", "1"];
  const first = processes.start(main, args, await environment());
  const url = /(http:\S+graphql)/.exec(await line(first, /GraphiQL/))?.[1] ?? "";
  await using client = createClient({ url });
  const { job } = await client.enqueue({ pipeline: "faults/sleeps", inputs: { seconds: 0.7 } });
  for await (const event of client.watch(job.id)) if (event.__typename === "NodeStarted") break;
  first.signal("SIGKILL");
  await first.ended();
  await processes.nothingLeft();
  await nothingRunsOn(data);

  const second = processes.start(main, args, await environment());
  const again = /(http:\S+graphql)/.exec(await line(second, /GraphiQL/))?.[1] ?? "";
  await using next = createClient({ url: again });
  const ended = await next.watch(job.id).job;
  expect(ended.state).toBe("SUCCEEDED");
  expect(ended.attempts.nodes).toHaveLength(2);
  second.signal("SIGTERM");
  expect(await second.ended()).toEqual({ code: 0, signal: null });
}, 90_000);

it("`worker` takes jobs from DATABASE_URL until SIGTERM, and leaves with code 0", async () => {
  await using ground = await openGround();
  const env = { ...(await environment()), DATABASE_URL: ground.db.url };
  const args = ["worker", "--project", project, "--slots", "1", "--data", join(ground.folder, "data")];
  const worker = ground.processes.start(main, args, env);
  await line(worker, /serves faults with 1 slots/);
  const job = await ground.enqueue("sleeps", { seconds: 0.5 });
  await job.event("node.started", { node: "morning" });
  worker.signal("SIGTERM");
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  await ground.processes.nothingLeft();
}, 60_000);

it("`server` serves without any Python, also where artifacts are in a store that only Python can read", async () => {
  await using ground = await openGround();
  const bare = { DATABASE_URL: ground.db.url, VIRTUAL_ENV: "", CONDA_PREFIX: "", NO_COLOR: "1" };
  const args = ["server", "--port", "0", "--artifacts", "s3://results/queue"];
  const server = ground.processes.start(main, args, bare);
  const url = /(http:\S+graphql)/.exec(await line(server, /graphql/))?.[1] ?? "";
  const store = "01890a5d-ac96-774b-bcce-b302099a8057";
  await ground.db.sql`insert into artifact_stores (id, url) values (${store}, 's3://results/queue')`;
  await ground.db.sql`update workers set store = ${store} where id = ${await insertWorker(ground.db.sql)}`;
  await using client = createClient({ url });
  const { server: told } = await client.request(ServerDocument, {});
  expect(told.artifactProblem).toMatch(/s3:\/\/results\/queue .*no Python.*FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON/);
  server.signal("SIGTERM");
  expect(await server.ended()).toEqual({ code: 0, signal: null });
}, 60_000);

/** The first line of its output that looks like this. */
async function line(process: TestProcess, pattern: RegExp): Promise<string> {
  const find = () => process.lines.find(({ message }) => pattern.test(message));
  await until(
    () => find() !== undefined,
    () => `${pattern} in its output:\n${JSON.stringify(process.lines)}`,
    40_000,
  );
  return find()?.message ?? "";
}

/** The Python with FlowerPower is found as somebody's who has activated it. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  return { VIRTUAL_ENV: join(await testPython(), "../.."), NO_COLOR: "1" };
}
