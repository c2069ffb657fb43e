import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { NotFoundError } from "../domain/errors.ts";
import type { Actor } from "../domain/run-request.ts";
import type { JobsContext } from "./context.ts";

/**
 * Switches a project off: no job of it is accepted, and none that waits is started. What runs goes on. Waiting jobs stay
 * queued and lose their tickets; admission gives them new ones when the project is enabled. Done again, it changes the reason.
 *
 * @throws NotFoundError when there is no such project
 */
export async function disableProject(
  context: JobsContext,
  actor: Actor,
  { name, reason }: { name: string; reason: string | null },
): Promise<void> {
  const { db, backend } = context;
  await withRetries(() =>
    db.sql.begin(async (sql) => {
      const [row] = await sql`
        update projects set disabled_at = coalesce(disabled_at, queue_now()), disabled_reason = ${reason}
        where name = ${name} returning name`;
      if (row === undefined) throw new NotFoundError("project", name, "input.name");
      await audit(sql, actor, "project.disable", name, { reason });
      await sql`
        with held as materialized (
          select j.id, j.attempt from jobs j
          where j.project = ${name} and j.state = 'queued' and j.ticketed_at is not null
          order by j.id for no key update
        ), withdrawn as materialized (${backend.withdraw(sql, sql`held`)}), unticketed as (
          update jobs j set ticketed_at = null from held h where j.id = h.id
        )
        select count(*) from withdrawn`;
    }),
  );
  tell(context);
}

/** Switches a project on again: its waiting jobs are admitted. */
export async function enableProject(context: JobsContext, actor: Actor, name: string): Promise<void> {
  await withRetries(() =>
    context.db.sql.begin(async (sql) => {
      const [row] = await sql`
        update projects set disabled_at = null, disabled_reason = null where name = ${name} returning name`;
      if (row === undefined) throw new NotFoundError("project", name, "input.name");
      await audit(sql, actor, "project.enable", name, {});
    }),
  );
  tell(context);
}

/** Before the answer, so that whoever has it sees it; other processes hear of it within milliseconds. */
function tell({ catalogue, wakeups }: JobsContext): void {
  catalogue.invalidate();
  wakeups.ring("describe");
  wakeups.ring("admit");
}

async function audit(
  sql: Sql,
  { name: actor, requestId }: Actor,
  action: string,
  project: string,
  data: { reason?: string | null },
): Promise<void> {
  await sql`
    insert into audit (at, actor, action, target, request_id, data)
    values (queue_now(), ${actor}, ${action}, ${project}, ${requestId}, ${sql.json(data)})`;
}
