import { type Rounds, startRounds } from "../events/rounds.ts";
import { admit, findLostTickets, nextAdmissionMs } from "./admit.ts";
import type { JobsContext } from "./context.ts";

/** A look without a wake-up: notices may be lost. */
const pollMs = 2000;
const lostTicketsEveryMs = 30_000;

/**
 * Keeps jobs moving towards workers: wakes when something becomes due, and looks by itself every two seconds. Every server
 * and worker does this, so that a due job is queued as long as one of them lives.
 */
export function startAdmission(
  { db, backend, wakeups }: Pick<JobsContext, "db" | "backend" | "wakeups">,
  onError: (error: Error) => void,
): Rounds {
  let lostTicketsAt = 0;

  async function round(): Promise<number> {
    if (performance.now() - lostTicketsAt > lostTicketsEveryMs) {
      lostTicketsAt = performance.now();
      await findLostTickets(db.sql, backend);
    }
    const { jobIds, more } = await admit(db, backend);
    wakeups.ring("events", jobIds);
    if (more) return 0;
    // A row that another process has locked is found again a little later, not at once.
    return Math.min(pollMs, Math.max((await nextAdmissionMs(db.sql)) ?? pollMs, jobIds.length > 0 ? 0 : 20));
  }

  const rounds = startRounds(round, onError);
  const subscription = wakeups.subscribe("admit", () => rounds.wake());
  return {
    wake: rounds.wake,
    async [Symbol.asyncDispose]() {
      subscription.close();
      await rounds[Symbol.asyncDispose]();
    },
  };
}
