import { setTimeout as delay } from "node:timers/promises";
import { NotFoundError } from "../domain/errors.ts";
import type { Actor } from "../domain/run-request.ts";
import type { JobsContext } from "./context.ts";

const firstPauseMs = 20;
const longestPauseMs = 200;

/**
 * Has a project described again, whether a file has changed or not: a package was installed, a variable set. Waits until a
 * worker has published it, for `waitMs` at the most; false when none has by then.
 *
 * @throws NotFoundError when there is no such project
 */
export async function reloadProject(
  { db, wakeups, catalogue }: JobsContext,
  actor: Actor,
  { name, waitMs }: { name: string; waitMs: number },
): Promise<boolean> {
  const [asked] = await db.sql<{ at: string }[]>`
    with asked as (
      -- A request of its own, within a clock's tick too: workers tell requests apart by their time.
      update projects set reload_asked_at = greatest(queue_now(), reload_asked_at + interval '1 ms')
      where name = ${name} returning reload_asked_at as at
    ), audited as (
      insert into audit (at, actor, action, target, request_id, data)
      select queue_now(), ${actor.name}, 'project.reload', ${name}, ${actor.requestId}, '{}' from asked
    )
    select at::text from asked`;
  if (asked === undefined) throw new NotFoundError("project", name, "input.name");
  wakeups.ring("describe");
  const until = performance.now() + waitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    const [row] = await db.sql<{ reloaded: boolean }[]>`
      select coalesce(reloaded_at >= ${asked.at}::timestamptz, false) as reloaded from projects where name = ${name}`;
    if (row?.reloaded !== false) {
      catalogue.invalidate();
      return row?.reloaded === true;
    }
    const leftMs = until - performance.now();
    if (leftMs <= 0) return false;
    await delay(Math.min(pauseMs, leftMs));
  }
}
