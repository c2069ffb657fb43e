import type { Database } from "../db/client.ts";

const shown = {
  queued: "queued",
  running: "interrupted",
  retryable: "to be tried again",
  scheduled: "scheduled",
} as const;

/** What earlier processes have left to do, in words; null when that is nothing. */
export async function inheritedJobs(
  { sql }: Pick<Database, "sql">,
  { held, alone }: { held: boolean; alone: boolean },
): Promise<string | null> {
  const counts = await sql<{ state: keyof typeof shown; count: number }[]>`
    select state, count(*)::int as count from jobs where state in ${sql(Object.keys(shown))} group by state order by state`;
  // On a shared database a running job is somebody's, and not interrupted.
  const ours = counts.filter(({ state }) => alone || state !== "running");
  if (ours.length === 0) return null;
  const list = ours.map(({ state, count }) => `${count} ${shown[state]}`).join(", ");
  return `inherited: ${list}${held ? "; held, look with: flowerpower-queue jobs" : " (--hold to look first)"}`;
}
