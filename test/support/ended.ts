import { randomBytes } from "node:crypto";
import type { Database } from "../../src/db/client.ts";
import type { FinalState } from "../../src/domain/lifecycle.ts";
import { insertJob, type JobOptions } from "./factories.ts";

/** The id of a job that was made then. */
export function idOf(time: Date): string {
  const hex = `${time.getTime().toString(16).padStart(12, "0")}7${randomBytes(2).toString("hex").slice(1)}8${randomBytes(8).toString("hex").slice(1)}`;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A job that was made, ran and ended so long ago. Returns its id. */
export async function endedJob(
  db: Database,
  agoMs: number,
  state: FinalState = "succeeded",
  options: Partial<JobOptions> = {},
): Promise<string> {
  const at = new Date(Date.now() - agoMs);
  const id = await insertJob(db, { ...options, id: idOf(at), state });
  await db.sql`
    update jobs set created_at = ${at}, run_at = ${at}, finished_at = ${at},
      started_at = case when started_at is not null then ${at}::timestamptz end
    where id = ${id}`;
  return id;
}
