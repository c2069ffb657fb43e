/** A lane is at most 128 characters long for graphile-worker, and holds two names. */
export const longestName = 60;

/** Names of projects and queues are part of lanes, ids and URLs: letters, digits, `_`, `-` and `.`, as FlowerPower allows them. */
export const namePattern = new RegExp(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,${longestName - 1}}$`);

/** What `namePattern` allows, for people. */
export const nameRule = `letters from A to Z, digits, "_", "-" and "." are allowed, ${longestName} at most`;

/** The line of tickets that workers of a project serve for a queue. */
export function laneOf(project: string, queue: string): string {
  return `run/${project}/${queue}`;
}

/** Higher is taken first. */
export const priorities = { lowest: 0, default: 50, highest: 100 } as const;

/**
 * How much earlier a ticket counts as due for each point of priority. A ticket's place is `due - priority × step`:
 * a job of priority 100 passes those of priority 0 that became due up to 50 minutes before it, and none that waited longer,
 * so nothing starves.
 */
export const priorityStepSeconds = 30;
