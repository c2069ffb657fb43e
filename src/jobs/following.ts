import type { JsonObject } from "../domain/json.ts";
import { Lookout } from "../events/lookout.ts";
import type { JobsContext } from "./context.ts";
import { enqueueFollowUps, hasFollowRules, nextFollowUpMs, recordFollowUps } from "./follow-ups.ts";

export interface FollowingTimes {
  /** At least so often it is looked, whatever is rung. */
  pollMs: number;
  /** Least time from one look to the next. */
  gapMs: number;
}

export const followingTimes: FollowingTimes = { pollMs: 1_000, gapMs: 50 };

/**
 * Makes the jobs that follow others by their pipelines' YAML, woken by events. Every server and worker does it; each end of a
 * job is used by one of them.
 */
export function startFollowing(
  context: JobsContext,
  log: (message: string, data: JsonObject) => void,
  { pollMs, gapMs }: FollowingTimes = followingTimes,
): AsyncDisposable {
  const { db, wakeups } = context;
  // Where nothing follows anything, events need wake nobody: the poll moves the reader on.
  let isNeeded = true;
  const lookout = new Lookout(
    async () => {
      isNeeded = await hasFollowRules(db);
      const isMore = await recordFollowUps(db);
      const isBatch = await enqueueFollowUps(context, log);
      if (isMore || isBatch) return 0;
      return (await nextFollowUpMs(db)) ?? Number.POSITIVE_INFINITY;
    },
    {
      pollMs,
      gapMs,
      needed: () => true,
      poll() {},
      failed: (error) => log("making what follows failed", { error: String(error) }),
    },
  );
  const subscriptions = [
    wakeups.subscribe("events", () => {
      if (isNeeded) lookout.ring();
    }),
    wakeups.subscribe("describe", () => lookout.ring()),
  ];
  lookout.ring();
  return {
    async [Symbol.asyncDispose]() {
      for (const subscription of subscriptions) subscription.close();
      await lookout.close();
    },
  };
}
