/**
 * A worker as a process of its own, for tests that do bad things to it. Its only argument is a WorkerSetup as JSON.
 * It says one JSON line for each thing that happens, with `message` and the data that belongs to it.
 * SIGTERM and SIGINT drain it; a second one ends it now. The exit code is 0 when it has stopped in order.
 */
import { openStore } from "../../src/artifacts/open.ts";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import { connect } from "../../src/db/client.ts";
import type { ArtifactLimits } from "../../src/domain/artifact-limits.ts";
import { openWakeups } from "../../src/events/wakeups.ts";
import { startAdmission } from "../../src/jobs/admission.ts";
import { startCompletingBatches } from "../../src/jobs/completing-batches.ts";
import { openJobs } from "../../src/jobs/context.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { childEnvironment } from "../../src/runtime/environment.ts";
import type { Grace } from "../../src/runtime/stop.ts";
import { type RescueTimes, rescueTimes, startRescue } from "../../src/worker/rescue.ts";
import type { StallTimes } from "../../src/worker/stalled.ts";
import { startWorker } from "../../src/worker/worker.ts";

/** Where a value is absent the product's default holds. */
export interface WorkerSetup {
  databaseUrl: string;
  python: string;
  projects: { name: string; dir: string }[];
  workDir: string;
  /** For hashing values from the environment. */
  hashKey?: string;
  slots?: number;
  labels?: string[];
  stalls?: Partial<StallTimes>;
  heartbeatMs?: number;
  rescue?: Partial<RescueTimes>;
  /** For stopping a run. */
  grace?: Grace;
  /** For draining. */
  graceMs?: number;
  /** URL of the artifact store; without it there is none. */
  artifacts?: string;
  artifactLimits?: Partial<ArtifactLimits>;
  /** Beside this process's own, for its runtimes. */
  env?: Record<string, string>;
  /** False: it neither rescues others' jobs nor admits any, so that the test says who does. */
  housekeeping?: boolean;
}

const setup = JSON.parse(process.argv[2] ?? "") as WorkerSetup;
const log = (message: string, data: object = {}) =>
  process.stdout.write(`${JSON.stringify({ at: Date.now(), message, ...data })}\n`);

const db = await connect(setup.databaseUrl);
const wakeups = await openWakeups(db);
const jobs = openJobs({ db, backend: graphileWorker, wakeups, catalogue: openCatalogue(db) });
const python = { path: setup.python, source: "test", version: "3" };
const own = { ...process.env, ...setup.env };
const environment = () => childEnvironment({ own, databaseUrl: setup.databaseUrl, envFile: null });
const store = setup.artifacts === undefined ? null : openStore(setup.artifacts, { path: setup.python, environment });
const worker = await startWorker(jobs, {
  slots: setup.slots ?? 1,
  labels: setup.labels ?? [],
  stalls: setup.stalls ?? {},
  version: "0.0.0-test",
  workDir: setup.workDir,
  projects: setup.projects.map(({ name, dir }) => ({ name, dir, python, environment })),
  store,
  artifactLimits: setup.artifactLimits ?? {},
  log,
  hashKey: setup.hashKey ?? null,
  ...(setup.heartbeatMs === undefined ? {} : { heartbeatMs: setup.heartbeatMs }),
  ...(setup.grace === undefined ? {} : { grace: setup.grace }),
});
const rounds =
  setup.housekeeping === false
    ? []
    : [
        startRescue(jobs, log, { ...rescueTimes, ...setup.rescue }),
        startAdmission(jobs, (error) => log("admission failed", { error: String(error) })),
        startCompletingBatches(jobs, (error) => log("completing batches failed", { error: String(error) })),
      ];

let signals = 0;
async function stop(signal: NodeJS.Signals): Promise<void> {
  signals += 1;
  log("signal", { signal, running: worker.running() });
  await stopAll(signals > 1 ? 0 : (setup.graceMs ?? 30_000));
}

async function stopAll(graceMs: number): Promise<void> {
  await worker.stop({ graceMs });
  for (const one of rounds) await one[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await wakeups.close();
  await db[Symbol.asyncDispose]();
  log("stopped");
  process.exit(0);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));

void worker.stopAsked.then(async ({ graceMs, by, reason }) => {
  log("asked to stop", { graceMs, by, reason });
  await stopAll(graceMs ?? setup.graceMs ?? 30_000);
});

log("started", { worker: worker.id });
await worker.ready;
log("ready", { worker: worker.id });
