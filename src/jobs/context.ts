import type { Backend } from "../backends/backend.ts";
import type { Database } from "../db/client.ts";
import { coalesce } from "../db/coalesce.ts";
import { withRetries } from "../db/retry.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Wakeups } from "../events/wakeups.ts";
import type { Catalogue, CataloguedPipeline } from "../pipelines/catalogue.ts";
import { type Histories, openHistories } from "../pipelines/history.ts";
import { type Inserted, insertJobs, type NewJob, type Refused } from "./insert.ts";
import { describeUnder } from "./variant.ts";

/** What the verbs on jobs work with. One per process. */
export interface JobsContext {
  db: Database;
  backend: Backend;
  wakeups: Wakeups;
  catalogue: Catalogue;
  /** A pipeline under a config; null when no worker could say in time. */
  describe(pipeline: CataloguedPipeline, config: JsonObject): Promise<CataloguedPipeline["description"] | null>;
  /** How long earlier runs took. */
  histories: Histories;
  /** Makes a job together with those of other callers; null when its key is taken or its queue does not exist. */
  insert(job: NewJob): Promise<Inserted | Refused | null>;
}

export function openJobs(parts: Omit<JobsContext, "insert" | "histories" | "describe">): JobsContext {
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
  return { ...parts, insert, describe, histories: openHistories(db) };
}
