import { type Rounds, startRounds } from "../events/rounds.ts";
import { completeBatches } from "./complete-batch.ts";
import type { JobsContext } from "./context.ts";

/** A look at all open batches, whatever was heard: wake-ups may be lost. */
const pollMs = 2_000;
/** Jobs whose wake-ups came within this time are looked at together. */
const gapMs = 100;
/** With more jobs than this all open batches are looked at. */
const mostHeard = 2_000;

/**
 * Completes batches: looks at those of whose jobs it hears, and every two seconds at all that are open. Every server and worker
 * does so, hence a batch is completed as long as one of them lives, and once: its row's lock sees to that. The ends of its jobs write
 * nothing in common, so that they never wait for each other.
 */
export function startCompletingBatches(context: JobsContext, onError: (error: Error) => void): Rounds {
  let heard = new Set<string>();
  let isAnyOpen = true;
  let lookedAtAllMs = Number.NEGATIVE_INFINITY;
  let soon: NodeJS.Timeout | undefined;

  async function round(): Promise<number> {
    const jobIds = [...heard];
    heard = new Set();
    const all = performance.now() - lookedAtAllMs >= pollMs || jobIds.length > mostHeard;
    if (all) {
      lookedAtAllMs = performance.now();
      isAnyOpen = await hasOpenBatch(context);
    }
    // Without an open batch nothing is remembered of what is heard, which is every event of every job.
    const more = isAnyOpen && (all || jobIds.length > 0) && (await completeBatches(context, all ? null : jobIds));
    return more ? 0 : Math.max(lookedAtAllMs + pollMs - performance.now(), 0);
  }

  const rounds = startRounds(round, (error) => {
    lookedAtAllMs = Number.NEGATIVE_INFINITY; // what was heard is forgotten
    onError(error);
  });
  const events = context.wakeups.subscribe("events", (jobIds) => {
    if (!isAnyOpen || jobIds === null) return;
    for (const jobId of jobIds) heard.add(jobId);
    soon ??= setTimeout(() => {
      soon = undefined;
      rounds.wake();
    }, gapMs);
  });
  const batches = context.wakeups.subscribe("batch", () => {
    isAnyOpen = true;
  });
  return {
    wake: rounds.wake,
    async [Symbol.asyncDispose]() {
      events.close();
      batches.close();
      clearTimeout(soon);
      await rounds[Symbol.asyncDispose]();
    },
  };
}

async function hasOpenBatch({ db }: JobsContext): Promise<boolean> {
  const rows = await db.sql`select from batches where completed_at is null limit 1`;
  return rows.count > 0;
}
