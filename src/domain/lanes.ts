import { createHash } from "node:crypto";

/** A lane is at most 128 characters long for graphile-worker, and holds two names. */
export const longestName = 60;

/** Names of projects and queues are part of lanes, ids and URLs: letters, digits, `_`, `-` and `.`, as FlowerPower allows them. */
export const namePattern = new RegExp(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,${longestName - 1}}$`);

/** What `namePattern` allows, for people. */
export const nameRule = `letters from A to Z, digits, "_", "-" and "." are allowed, ${longestName} at most`;

/** Labels of workers, which jobs may need: words, or `name=value`. */
export const labelPattern = /^[A-Za-z0-9_][A-Za-z0-9_.:/=-]{0,62}$/;
export const labelRule = 'letters from A to Z, digits, "_", ".", ":", "/", "=" and "-" are allowed, 63 at most';
/** What a job may need at the most. */
export const mostLabels = 10;

/** As they are stored and compared: each once, in order; null for none. */
export function labelSet(labels: readonly string[]): string[] | null {
  return labels.length === 0 ? null : [...new Set(labels)].toSorted();
}

/**
 * The line of tickets that workers of a project serve for a queue: one for jobs that need no labels, and one for each set of
 * labels that jobs need. The second kind is a hash, which the backend makes in SQL: names and labels would not fit.
 */
export function laneOf(project: string, queue: string, needs: readonly string[] | null = null): string {
  if (needs === null) return `run/${project}/${queue}`;
  const whole = `${project}/${queue}/${needs.join(",")}`;
  return `needs/${createHash("md5").update(whole).digest("hex")}`;
}

/** Higher is taken first. */
export const priorities = { lowest: 0, default: 50, highest: 100 } as const;

/**
 * How much earlier a ticket counts as due for each point of priority. A ticket's place is `due - priority × step`:
 * a job of priority 100 passes those of priority 0 that became due up to 50 minutes before it, and none that waited longer,
 * so nothing starves.
 */
export const priorityStepSeconds = 30;
