import { homedir } from "node:os";
import { join, relative, sep } from "node:path";
import type { ArtifactStore } from "../artifacts/store.ts";
import { openDataFolder } from "../db/data-folder.ts";
import { startEmbeddedPostgres } from "../db/embedded/start.ts";
import type { Retention } from "../domain/retention.ts";
import type { ProjectFolder } from "../pipelines/folders.ts";
import { PortInUseError, type RunningServer, requireAddress, startServer } from "../server/start.ts";
import { startWorker, type Worker } from "../worker/worker.ts";
import { defaultPort } from "./api.ts";
import { openArtifacts } from "./artifact-store.ts";
import type { Cli } from "./cli.ts";
import { placeOf } from "./database.ts";
import { hashKeyIn } from "./hash-key.ts";
import { inheritedJobs } from "./inherited.ts";
import { openParts, type Parts } from "./parts.ts";
import { serverLog, workLog } from "./process-log.ts";
import { withPythons } from "./served-projects.ts";
import type { StartLines } from "./start-lines.ts";
import { stopAskedLine } from "./stop-asked.ts";
import { keepOf } from "./up-flags.ts";
import { version } from "./version.ts";

export interface AllInOneOptions {
  projects: readonly ProjectFolder[];
  /** The data folder. */
  folder: string;
  host: string;
  /** Null: the usual one, or a free one beside it. */
  port: number | null;
  slots: number;
  /** Of the worker. */
  labels: readonly string[];
  /** How long runs may go on when the worker is asked to stop through the API. */
  graceMs: number;
  /** Take no jobs: somebody wants to look first. */
  hold: boolean;
  allowOrigins: readonly string[];
  /** Where artifacts are kept, when somebody has said. */
  artifacts?: string;
  /** How long jobs are kept, when somebody has said. */
  keep?: Retention;
}

export interface AllInOne {
  /** The GraphQL endpoint. */
  url: string;
  /** Attempts under way. */
  running(): number;
  /** Lets runs finish, hands back the rest, closes everything. */
  stop(options: { graceMs: number; now: Promise<void> }): Promise<void>;
}

/** Postgres, API and worker in this process. Says line by line what is there. */
export async function startAllInOne(cli: Cli, options: AllInOneOptions, lines: StartLines): Promise<AllInOne> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(openDataFolder(options.folder));
  // Before the first start downloads for a minute.
  await requireAddress(options.host, options.port ?? 0);
  // Both end before one's failure is told: what has been opened by then is closed again.
  const [postgres, pythons] = await Promise.allSettled([
    openPostgres(opened, folder.path, cli, lines),
    openPythons(cli, options, folder.path, lines),
  ]);
  if (postgres.status === "rejected") throw postgres.reason;
  if (pythons.status === "rejected") throw pythons.reason;
  const url = postgres.value;
  const log = workLog(cli.terminal);
  const parts = opened.use(await openParts(url, log));
  lines.note(await inheritedJobs(parts.db, { held: options.hold, alone: cli.config.databaseUrl === null }));

  const [first] = pythons.value;
  const python = first === undefined ? null : { path: first.python.path, environment: first.environment };
  const store = openArtifacts(options.artifacts, folder.path, python, cli);
  if (store !== null) opened.use(store);

  const done = lines.begin("API + worker");
  const server = await listen(cli, options, parts, store);
  opened.defer(() => server.close());
  folder.writeServerInfo({
    url: `${server.url}/graphql`,
    pid: process.pid,
    startedAt: new Date().toISOString(),
    version,
  });
  let worker: Worker | null = null;
  // Whoever looks first may want to cancel thousands before any of them runs.
  if (options.hold) parts.doOperations();
  else {
    parts.keepMoving(keepOf(options, cli));
    worker = await startWorker(parts.jobs, {
      slots: options.slots,
      version,
      projects: pythons.value,
      labels: options.labels,
      workDir: join(folder.path, "runs"),
      store,
      hashKey: hashKeyIn(folder.path, cli.config.hashKey),
      log,
    });
    await worker.ready;
    void stopWhenAsked(worker, options.graceMs, cli);
  }
  done(`${server.url}/graphql, ${worker === null ? "held: no job is taken" : `${options.slots} slots, Python warm`}`);

  const rest = opened.move();
  return {
    url: `${server.url}/graphql`,
    running: () => worker?.running() ?? 0,
    async stop({ graceMs, now }) {
      void now.then(() => worker?.stop({ graceMs: 0 }));
      await worker?.stop({ graceMs });
      await rest.disposeAsync();
    },
  };
}

/** Asked through the API, the worker ends, and nothing else: whoever asked would be left without an answer. */
async function stopWhenAsked(worker: Worker, usualGraceMs: number, { terminal }: Cli): Promise<void> {
  const asked = await worker.stopAsked;
  terminal.err(`${stopAskedLine(asked)}. The API goes on, and jobs wait until up is started again.`);
  await worker.stop({ graceMs: asked.graceMs ?? usualGraceMs });
}

/** The address of the user's own, or of ours. */
async function openPostgres(
  opened: AsyncDisposableStack,
  folder: string,
  { config, cwd }: Cli,
  lines: StartLines,
): Promise<string> {
  const done = lines.begin("Postgres");
  if (config.databaseUrl !== null) {
    done(`yours, ${placeOf(config.databaseUrl)}`);
    return config.databaseUrl;
  }
  const postgres = opened.use(await startEmbeddedPostgres({ folder, onProgress: (message) => lines.note(message) }));
  const adopted = postgres.adopted ? ", left running by an earlier start" : "";
  done(`${postgres.version} embedded, port ${postgres.port}, data in ${shortPath(folder, cwd)}${adopted}`);
  return postgres.url;
}

async function openPythons({ config, cwd }: Cli, { projects }: AllInOneOptions, folder: string, lines: StartLines) {
  const done = lines.begin("Python");
  const onProgress = (message: string) => lines.note(message);
  const served = await withPythons(projects, { folder, config, onProgress });
  for (const { name, python } of served) {
    // The environment names its interpreter well enough.
    const path = shortPath(python.path.replace(/\/bin\/python[\d.]*$/, ""), cwd);
    done(`${python.version} for ${name}: ${path} (${python.source})`);
  }
  return served;
}

/** A path as a person would write it: from here or from home, where that is shorter. */
function shortPath(path: string, cwd: string): string {
  const home = homedir();
  const ways = [
    path,
    relative(cwd, path) || ".",
    path.startsWith(`${home}${sep}`) ? `~${path.slice(home.length)}` : path,
  ];
  return ways.reduce((shortest, way) => (way.length < shortest.length ? way : shortest));
}

/** How many ports beside the usual one are tried before any free one is taken. */
const neighbours = 20;

async function listen(
  cli: Cli,
  options: AllInOneOptions,
  { db, jobs, tail }: Parts,
  artifacts: ArtifactStore | null,
): Promise<RunningServer> {
  const { host, port, allowOrigins } = options;
  const start = (chosen: number) =>
    startServer({
      db,
      jobs,
      tail,
      version,
      host,
      port: chosen,
      allowOrigins,
      artifacts,
      retention: keepOf(options, cli),
      log: serverLog(cli.terminal),
    });
  if (port !== null) return await start(port);
  for (let chosen = defaultPort; chosen < defaultPort + neighbours; chosen += 1) {
    try {
      return await start(chosen);
    } catch (error) {
      if (!(error instanceof PortInUseError)) throw error;
    }
  }
  return await start(0);
}
