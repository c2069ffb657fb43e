import type { Sql } from "../db/client.ts";
import { NotFoundError } from "../domain/errors.ts";
import { nearest } from "../pipelines/nearest.ts";

/** So many names are compared with one that is not there: each costs as much as it is long. */
const mostCompared = 1000;

/** Of these queues those that do not exist, each with what is to be said of it. */
export async function unknownQueues(sql: Sql, queues: Iterable<string>): Promise<Map<string, NotFoundError>> {
  const asked = [...new Set(queues)];
  if (asked.length === 0) return new Map();
  const known = new Set(await namesOf(sql<{ name: string }[]>`select name from queues where name = any(${asked})`));
  const unknown = asked.filter((queue) => !known.has(queue));
  if (unknown.length === 0) return new Map();
  const names = await namesOf(sql<{ name: string }[]>`select name from queues order by name limit ${mostCompared}`);
  return new Map(
    unknown.map((queue) => [queue, new NotFoundError("queue", queue, "input.queue", nearest(queue, names))]),
  );
}

/** @throws NotFoundError when there is no such queue */
export async function requireQueue(sql: Sql, queue: string): Promise<void> {
  for (const error of (await unknownQueues(sql, [queue])).values()) throw error;
}

async function namesOf(queues: PromiseLike<{ name: string }[]>): Promise<string[]> {
  return (await queues).map(({ name }) => name);
}
