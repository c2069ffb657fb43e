import { type Rounds, startRounds } from "../events/rounds.ts";
import { admit, findLostTickets, nextAdmissionMs } from "./admit.ts";
import type { JobsContext } from "./context.ts";

/** A look without a wake-up: notices may be lost. */
const pollMs = 2000;
const lostTicketsEveryMs = 30_000;
/** A look for lost tickets takes a fiftieth of the time at most: it reads every waiting job. */
const restFactor = 50;

/**
 * Keeps jobs moving towards workers: wakes when something becomes due, and looks by itself every two seconds. Every server
 * and worker does this, so that a due job is queued as long as one of them lives.
 */
export function startAdmission(
  { db, backend, wakeups }: Pick<JobsContext, "db" | "backend" | "wakeups">,
  onError: (error: Error) => void,
): Rounds {
  async function round(): Promise<number> {
    const { jobIds, more } = await admit(db, backend);
    wakeups.ring("events", jobIds);
    if (more) return 0;
    // A row that another process has locked is found again a little later, not at once.
    return Math.min(pollMs, Math.max((await nextAdmissionMs(db.sql)) ?? pollMs, jobIds.length > 0 ? 0 : 20));
  }

  const rounds = startRounds(round, onError);
  // Rounds of its own: behind 100,000 waiting jobs it takes more than a second, in which nothing would be admitted.
  const sweeps = startRounds(async () => {
    const startedAt = performance.now();
    const lost = await findLostTickets(db.sql, backend);
    if (lost.length > 0) rounds.wake();
    return Math.max(lostTicketsEveryMs, (performance.now() - startedAt) * restFactor);
  }, onError);
  const subscription = wakeups.subscribe("admit", () => rounds.wake());
  return {
    wake: rounds.wake,
    async [Symbol.asyncDispose]() {
      subscription.close();
      await Promise.all([sweeps, rounds].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
