import type { Database } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Retention } from "../domain/retention.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import { countEnded, pruneMetrics } from "./metrics.ts";
import { pruneFailureGroups, pruneJobs } from "./prune.ts";
import { pruneBatches } from "./prune-batches.ts";

/** Between two looks for jobs that are too old. */
export const pruneEveryMs = 60_000;
/** What has ended shows in the metrics after so long. */
export const countEveryMs = 2_000;
/** After a batch as long a rest: at most half of the time is spent on pruning. */
const restFactor = 1;

/** Counts what has ended, and removes what is too old. Every server and worker does it; of each, one at a time. */
export function startRetention(
  db: Database,
  retention: Retention,
  log: (message: string, data: JsonObject) => void,
): AsyncDisposable {
  const stopping = new AbortController();
  const failed = (what: string) => (error: Error) => log(`${what} failed`, { error: String(error) });
  const pruning: Rounds = startRounds(async () => {
    // First what the metrics have not counted yet.
    while (await countEnded(db));
    const done = await pruneJobs(db, retention, { actor: null, restFactor, signal: stopping.signal });
    const total = Object.values(done?.pruned ?? {}).reduce((sum, count) => sum + count, 0);
    if (total > 0) log("jobs pruned", { ...done?.pruned });
    await pruneFailureGroups(db.sql, retention);
    for (let after = await pruneBatches(db.sql); after !== null && !stopping.signal.aborted; ) {
      after = await pruneBatches(db.sql, after);
    }
    await pruneMetrics(db.sql);
    return pruneEveryMs;
  }, failed("pruning jobs"));
  const counting: Rounds = startRounds(
    async () => ((await countEnded(db)) ? 0 : countEveryMs),
    failed("counting what has ended"),
  );
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all([pruning, counting].map((rounds) => rounds[Symbol.asyncDispose]()));
    },
  };
}
