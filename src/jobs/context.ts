import type { Backend } from "../backends/backend.ts";
import type { Database } from "../db/client.ts";
import { coalesce } from "../db/coalesce.ts";
import { withRetries } from "../db/retry.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Wakeups } from "../events/wakeups.ts";
import type { Catalogue, CataloguedPipeline } from "../pipelines/catalogue.ts";
import { type Histories, openHistories } from "../pipelines/history.ts";
import { planRun } from "../pipelines/plan.ts";
import type { EarlierRun } from "../pipelines/reuse.ts";
import { readEarlierRuns, type Sources } from "./earlier-runs.ts";
import { type Inserted, insertJobs, type NewJob, type Refused } from "./insert.ts";
import { readParents } from "./parents.ts";
import { describeUnder } from "./variant.ts";

/** What the verbs on jobs work with. One per process. */
export interface JobsContext {
  db: Database;
  backend: Backend;
  wakeups: Wakeups;
  catalogue: Catalogue;
  /** A pipeline under a config; null when no worker could say in time. */
  describe(pipeline: CataloguedPipeline, config: JsonObject): Promise<CataloguedPipeline["description"] | null>;
  /** What a run would do: `planRun`, or for many requests at once what comes to the same in less time. */
  plan: typeof planRun;
  /** What has been computed before and may be taken. */
  earlierRuns(sources: Sources): Promise<EarlierRun[]>;
  /** The final variables of jobs that others are to wait for: those that are there; null where nobody knows. */
  parents(jobIds: readonly string[]): Promise<ReadonlyMap<string, string[] | null>>;
  /** How long earlier runs took. */
  histories: Histories;
  /** Makes a job together with those of other callers; null when its key is taken or its queue does not exist. */
  insert(job: NewJob): Promise<Inserted | Refused | null>;
}

export function openJobs(parts: Pick<JobsContext, "db" | "backend" | "wakeups" | "catalogue">): JobsContext {
  const { db, backend, wakeups, catalogue } = parts;
  wakeups.subscribe("describe", () => catalogue.invalidate());
  const insert = coalesce(
    async (jobs: NewJob[]): Promise<(Inserted | Refused | null)[]> => {
      const made = new Map(
        (await withRetries(() => insertJobs(db.sql, backend, jobs))).map((inserted) => [inserted.id, inserted]),
      );
      return jobs.map((job) => made.get(job.id) ?? null);
    },
    { onSlow: () => void db.suspect() },
  );
  const describe: JobsContext["describe"] = (pipeline, config) => describeUnder({ db, wakeups }, pipeline, config);
  return {
    ...parts,
    insert,
    describe,
    plan: planRun,
    earlierRuns: (sources) => readEarlierRuns(db.sql, sources),
    parents: (jobIds) => readParents(db.sql, jobIds),
    histories: openHistories(db),
  };
}
