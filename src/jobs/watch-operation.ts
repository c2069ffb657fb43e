import { startRounds } from "../events/rounds.ts";
import { Stream } from "../events/stream.ts";
import type { EventStream } from "../events/tail.ts";
import type { JobsContext } from "./context.ts";

/** Behind lost wake-ups. */
const pollMs = 2_000;

/**
 * An operation's id at once and whenever it is further than when it was taken last: what changes faster than it is taken is told
 * once. Ends after the operation's end, and when there is none.
 */
export function watchOperation({ db, wakeups }: Pick<JobsContext, "db" | "wakeups">, id: string): EventStream<string> {
  let known = "";
  let changed = false;
  const rounds = startRounds(
    async () => {
      const [row] = await db.readSql<{ place: string; isOver: boolean }[]>`
        select concat_ws(' ', state, done, failed, failures) as place, state <> 'running' as "isOver" from operations where id = ${id}`;
      if (row !== undefined && row.place !== known) {
        known = row.place;
        changed = true;
      }
      if (row === undefined || row.isOver) stream.end();
      else stream.wake();
      return pollMs;
    },
    () => {}, // the database is away: it is read again
  );
  const subscription = wakeups.subscribe("operation", (ids) => {
    if (ids === null || ids.includes(id)) rounds.wake();
  });
  const stream: Stream<string> = new Stream({
    take: () => {
      if (!changed) return undefined;
      changed = false;
      return id;
    },
    leave: () => {
      subscription.close();
      void rounds[Symbol.asyncDispose]();
    },
  });
  return stream;
}
