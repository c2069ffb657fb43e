import type { Backend } from "../backends/backend.ts";
import type { Database } from "../db/client.ts";
import { coalesce } from "../db/coalesce.ts";
import { withRetries } from "../db/retry.ts";
import type { Wakeups } from "../events/wakeups.ts";
import type { Catalogue } from "../pipelines/catalogue.ts";
import { type Histories, openHistories } from "../pipelines/history.ts";
import { type Inserted, insertJobs, type NewJob, type Refused } from "./insert.ts";

/** What the verbs on jobs work with. One per process. */
export interface JobsContext {
  db: Database;
  backend: Backend;
  wakeups: Wakeups;
  catalogue: Catalogue;
  /** How long earlier runs took. */
  histories: Histories;
  /** Makes a job together with those of other callers; null when its key is taken or its queue does not exist. */
  insert(job: NewJob): Promise<Inserted | Refused | null>;
}

export function openJobs(parts: Omit<JobsContext, "insert" | "histories">): JobsContext {
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
  return { ...parts, insert, histories: openHistories(db) };
}
