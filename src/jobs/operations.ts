/** Bulk actions on more jobs than one call takes, done by whatever process is there. */
import { randomUUID } from "node:crypto";
import { DomainError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { operationLimits } from "../domain/operation.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import type { JobsContext } from "./context.ts";
import { doChunk } from "./operation-chunk.ts";

/** A look without a wake-up: notices may be lost, and a lease ends without one. */
const pollMs = 2_000;
/** Longer messages are cut. */
const errorLength = 2_000;

type Log = (message: string, data: JsonObject) => void;

/** Does operations, a chunk a round. Every server and worker does it: one goes on where another has died. */
export function startOperations(context: JobsContext, log: Log): Rounds {
  const holder = randomUUID();
  const rounds = startRounds(
    async () => ((await goOn(context, holder, log)) ? 0 : pollMs),
    (error) => log("looking for operations failed", { error: String(error) }),
  );
  const subscription = context.wakeups.subscribe("operation", () => rounds.wake());
  return {
    wake: rounds.wake,
    async [Symbol.asyncDispose]() {
      subscription.close();
      await rounds[Symbol.asyncDispose]();
      await giveBack(context, holder).catch((error) => log("giving back operations failed", { error: String(error) }));
    },
  };
}

/** Lets another process go on at once with what this one leaves. */
async function giveBack({ db, wakeups }: JobsContext, holder: string): Promise<void> {
  const left = await db.sql<{ id: string }[]>`
    update operations set holder = null, lease_until = null where state = 'running' and holder = ${holder} returning id`;
  wakeups.ring(
    "operation",
    left.map(({ id }) => id),
  );
}

/** Does the next chunk of an operation that nobody else holds, the one that has waited longest. False when there is none. */
export async function goOn(context: JobsContext, holder: string, log: Log = () => {}): Promise<boolean> {
  const id = await claim(context, holder);
  if (id === null) return false;
  try {
    await doChunk(context, id, holder);
  } catch (error) {
    log("a chunk of an operation failed", { operation: idText("operation", id), error: String(error) });
    await recordFailure(context, id, holder, error as Error);
  }
  return true;
}

async function claim({ db }: JobsContext, holder: string): Promise<string | null> {
  const [claimed] = await db.sql<{ id: string }[]>`
    update operations set holder = ${holder}, started_at = coalesce(started_at, queue_now()),
      lease_until = queue_now() + make_interval(secs => ${operationLimits.leaseMs / 1000}::float8)
    where id = (
      select id from operations
      where state = 'running' and (holder = ${holder} or lease_until is null or lease_until <= queue_now())
      order by lease_until nulls first, id limit 1 for update skip locked
    )
    returning id`;
  return claimed?.id ?? null;
}

/**
 * Postgres may have been busy, a job locked for long: it is tried again, by whom ever, after a pause. What the rules refuse, and
 * what fails again and again, ends it. When the database is away nothing can be recorded, and the lease runs out.
 */
async function recordFailure({ db, wakeups }: JobsContext, id: string, holder: string, error: Error): Promise<void> {
  const { tries, firstPauseMs, longestPauseMs } = operationLimits;
  const most = error instanceof DomainError ? 1 : tries;
  await db.sql`
    update operations set failures = failures + 1, error = ${error.message.slice(0, errorLength)}, holder = null,
      state = case when failures + 1 >= ${most} then 'failed' else state end,
      finished_at = case when failures + 1 >= ${most} then queue_now() end,
      lease_until = case when failures + 1 < ${most} then
        queue_now() + make_interval(secs => least(${firstPauseMs}::float8 * 2 ^ failures, ${longestPauseMs}::float8) / 1000)
      end
    where id = ${id} and state = 'running' and holder = ${holder}`;
  wakeups.ring("operation", [id]);
}
