import { backendNamed } from "../backends/registry.ts";
import type { Database } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Retention } from "../domain/retention.ts";
import { openTail, type Tail } from "../events/tail.ts";
import { openWakeups } from "../events/wakeups.ts";
import { startAdmission } from "../jobs/admission.ts";
import { startCompletingBatches } from "../jobs/completing-batches.ts";
import { type JobsContext, openJobs } from "../jobs/context.ts";
import { startRetention } from "../jobs/retention.ts";
import { openCatalogue } from "../pipelines/catalogue.ts";
import { startRescue } from "../worker/rescue.ts";
import { openDatabase } from "./database.ts";

export type WorkLog = (message: string, data: JsonObject) => void;

/** What servers and workers are made of. */
export interface Parts extends AsyncDisposable {
  db: Database;
  jobs: JobsContext;
  tail: Tail;
  /**
   * Brings due jobs to workers, completes batches, gives back jobs of dead ones, removes what is too old and counts what has ended, from here on.
   * Every process does it.
   */
  keepMoving(retention: Retention): void;
}

/** Opens a database with all that stands on it; what was opened last is closed first. */
export async function openParts(url: string, log: WorkLog): Promise<Parts> {
  await using opened = new AsyncDisposableStack();
  const db = opened.use(await openDatabase(url));
  const wakeups = opened.use(await openWakeups(db));
  const catalogue = openCatalogue(db);
  opened.use(wakeups.subscribe("describe", () => catalogue.invalidate()));
  const tail = opened.use(openTail(db, wakeups));
  const jobs = openJobs({ db, backend: backendNamed("graphile-worker"), wakeups, catalogue });
  const parts = opened.move();
  return {
    db,
    jobs,
    tail,
    keepMoving(retention) {
      parts.use(startAdmission(jobs, (error) => log("admitting jobs failed", { error: String(error) })));
      parts.use(startCompletingBatches(jobs, (error) => log("completing batches failed", { error: String(error) })));
      parts.use(startRescue(jobs, log));
      parts.use(startRetention(db, retention, log));
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
