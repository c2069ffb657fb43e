import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { errorOf, NotFoundError } from "../client/errors.ts";
import {
  DrainWorkerDocument,
  ResumeWorkerDocument,
  StopWorkerDocument,
  WorkerDocument,
  type WorkerFragment,
  type WorkerQuery,
  WorkersDocument,
  type WorkersQuery,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { shortId } from "./frame.ts";
import { lengthMs } from "./run-flags.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { duration, localTime } from "./units.ts";

type ShownWorker = WorkerFragment & Pick<Partial<NonNullable<WorkerQuery["worker"]>>, "served">;

/** `workers`, and what can be asked of one. */
export function addWorkers(program: Command, cli: Cli): void {
  const { terminal } = cli;
  const workers = program
    .command("workers")
    .description("list workers, and ask them to drain, to take jobs again, to stop")
    .option("--all", "also those that have stopped or died")
    .action(async ({ all = false }: { all?: boolean }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const found = await allWorkers(client, all);
      if (options.json) return printJson(terminal, found);
      if (found.length === 0) return terminal.err("There is none. Start one with: flowerpower-queue worker");
      for (const line of workerTable(found, terminal)) terminal.out(line);
    });
  const act =
    <Flags>(run: (client: Client, id: string, flags: Flags) => Promise<ShownWorker>) =>
    async (text: string, flags: Flags, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const worker = await run(client, await workerId(client, text), flags);
      if (options.json) return printJson(terminal, worker);
      for (const line of workerLines(worker, terminal)) terminal.out(line);
    };

  workers
    .command("show")
    .description("all about one worker")
    .argument("<worker>", which)
    .action(
      act(async (client, id) => {
        const { worker } = await client.request(WorkerDocument, { id }, { idempotent: true });
        if (worker == null) throw new NotFoundError(`There is no worker ${id}.`, null);
        return worker;
      }),
    );
  workers
    .command("drain")
    .description("let a worker take nothing more; what it runs goes on, and it stays")
    .argument("<worker>", which)
    .option("--reason <text>", "why, for whoever asks later")
    .action(
      act<{ reason?: string }>(async (client, id, { reason = null }: { reason?: string | null }) => {
        const { drainWorker: result } = await client.request(DrainWorkerDocument, { input: { id, reason } });
        if (result.__typename !== "DrainWorkerSuccess") throw errorOf(result);
        return result.worker;
      }),
    );
  workers
    .command("resume")
    .description("let a worker that drains take jobs again")
    .argument("<worker>", which)
    .action(
      act(async (client, id) => {
        const { resumeWorker: result } = await client.request(ResumeWorkerDocument, { input: { id } });
        if (result.__typename !== "ResumeWorkerSuccess") throw errorOf(result);
        return result.worker;
      }),
    );
  workers
    .command("stop")
    .description("let a worker finish what it runs within a time, hand back the rest, and end")
    .argument("<worker>", which)
    .option("--grace <duration>", "how long its runs may go on; 0s: not at all (what it was started with)", lengthMs)
    .option("--reason <text>", "why, for whoever asks later")
    .action(
      act<{ grace?: number; reason?: string }>(async (client, id, { grace, reason }) => {
        const input = { id, graceMs: grace ?? null, reason: reason ?? null };
        const { stopWorker: result } = await client.request(StopWorkerDocument, { input });
        if (result.__typename !== "StopWorkerSuccess") throw errorOf(result);
        return result.worker;
      }),
    );
}

const which = "its id, or the last 6 or more letters of one that lives";

/** All that is shown of a worker costs 76, of the 5,000 that one operation may. */
const pageSize = 50;

async function allWorkers(client: Client, includeEnded: boolean): Promise<WorkerFragment[]> {
  const found: WorkerFragment[] = [];
  for (let after: string | null = null; ; ) {
    const { workers }: WorkersQuery = await client.request(
      WorkersDocument,
      { first: pageSize, after, includeEnded },
      { idempotent: true },
    );
    found.push(...workers.nodes);
    if (!workers.pageInfo.hasNextPage) return found;
    after = workers.pageInfo.endCursor ?? null;
  }
}

async function workerId(client: Client, text: string): Promise<string> {
  if (text.startsWith("wkr_")) return text;
  if (text.length < 6) throw new UsageError("Give the worker's id, or at least its last 6 letters.");
  const [found, ...others] = (await allWorkers(client, false)).filter(({ id }) => id.endsWith(text));
  if (found === undefined)
    throw new NotFoundError(`No living worker's id ends in ${text}. Those that live: flowerpower-queue workers`, null);
  if (others.length > 0) throw new UsageError(`Several workers' ids end in ${text}. Give more of it.`);
  return found.id;
}

function workerTable(workers: readonly WorkerFragment[], { paint, columns, symbols }: Terminal): string[] {
  const rows = workers.map((worker) => [
    shortId(worker.id, symbols),
    stateText(worker),
    `${worker.running.length}/${worker.slots}`,
    printable(`${worker.host} ${worker.pid}`),
    worker.version,
    localTime(worker.startedAt),
    printable(worker.projects.join(", ")),
  ]);
  return table(
    ["WORKER", "IS", "RUNS", "HOST, PID", "VERSION", "STARTED", "PROJECTS"],
    rows,
    columns,
    symbols.ellipsis,
    (text, column, row) => {
      if (row === null) return paint("dim", text);
      return column === 1 && text.trim() !== "running" ? paint("yellow", text) : text;
    },
  );
}

/** Where it is, or where it was asked to go. */
function stateText({ state, wanted }: WorkerFragment): string {
  const lives = state === "RUNNING" || state === "DRAINING";
  return lives && wanted === "STOP" ? "stopping" : state.toLowerCase();
}

function workerLines(worker: ShownWorker, { paint }: Terminal): string[] {
  const { wanted, wantedAt, wantedBy, wantedReason, served = [] } = worker;
  const asked =
    wanted == null
      ? ""
      : `to ${wanted.toLowerCase()}, ${localTime(wantedAt ?? "")} by ${wantedBy}${wantedReason == null ? "" : `: ${wantedReason}`}`;
  const facts: [string, string][] = [
    ["is", stateText(worker)],
    ["asked", asked],
    ["where", `${worker.host}, process ${worker.pid}, version ${worker.version}`],
    ["slots", `${worker.slots}, ${worker.freeSlots} free`],
    ["started", localTime(worker.startedAt)],
    ["heard of", localTime(worker.heartbeatAt)],
    ["ended", worker.endedAt == null ? "" : localTime(worker.endedAt)],
    ["labels", worker.labels.join(", ")],
    ["queues", worker.queues.join(", ")],
    ["artifacts", worker.artifactProblem ?? worker.artifactStore ?? "none are kept"],
    ...served.map(({ name, root, environment }): [string, string] => [
      "project",
      environment === null
        ? `${name}: ${root}`
        : `${name}: ${root}, Python ${environment.pythonVersion} in ${environment.python}, FlowerPower ${environment.flowerpower}, Hamilton ${environment.hamilton}`,
    ]),
    ...worker.running.map(({ id, project, pipeline, attempt, startedAt }): [string, string] => [
      "runs",
      `${id}  ${project}/${pipeline}, attempt ${attempt}${startedAt == null ? "" : `, for ${duration(Date.now() - Date.parse(startedAt))}`}`,
    ]),
  ];
  return [
    paint("bold", worker.id),
    ...facts
      .filter(([, value]) => value !== "")
      .map(([name, value]) => `  ${paint("dim", name.padEnd(9))}  ${printable(value)}`),
  ];
}
