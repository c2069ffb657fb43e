/** Nothing starves: how long a job of the lowest priority is passed by ever new ones of the highest. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { laneOf, priorities, priorityStepSeconds } from "../../src/domain/lanes.ts";
import { admit } from "../../src/jobs/admit.ts";
import { createQueue } from "../../src/jobs/create-queue.ts";
import { TicketTaker } from "../../src/worker/tickets.ts";
import { openWrites } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { jobsContext, silentWakeups, tester } from "../support/jobs.ts";
import { queuedJob, startJob } from "../support/running.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => await db?.[Symbol.asyncDispose]());

/** What docs/queues.md promises: 50 minutes. */
const passedForMinutes = ((priorities.highest - priorities.lowest) * priorityStepSeconds) / 60;

/**
 * A queue in which the lowest waits from the first minute, and in each minute one of the highest comes. The minutes lie behind us,
 * so that all of it is due and nobody has to wait for them.
 */
function minutes(queue: string) {
  const begin = Date.now() - 2 * passedForMinutes * 60_000;
  const at = (minute: number) => new Date(begin + minute * 60_000).toISOString();
  return {
    lowest: () => queuedJob(db, { queue, priority: priorities.lowest, runAt: at(0) }),
    highest: (minute: number) => queuedJob(db, { queue, priority: priorities.highest, runAt: at(minute) }),
  };
}

describe("a job of the lowest priority", () => {
  it("is passed by new ones for 50 minutes and no longer, under a queue's limit", async () => {
    const queue = "narrow";
    const unlimited = { rateLimit: null, backlogLimit: null };
    await createQueue(jobsContext(db), tester, { name: queue, concurrencyLimit: 1, ...unlimited });
    const { lowest, highest } = minutes(queue);
    const starving = await lowest();
    const passedBy: string[] = [];
    for (let minute = 0; minute <= passedForMinutes; minute += 1) {
      const fresh = await highest(minute);
      await admit(db, backend);
      const [admitted] = await db.sql<
        { id: string }[]
      >`select id from jobs where queue = ${queue} and ticketed_at is not null`;
      if (admitted?.id === starving) break;
      // The new one goes first, is run, and makes room for one of the next minute.
      expect(admitted?.id).toBe(fresh);
      passedBy.push(fresh);
      const started = await startJob(db, fresh);
      await openWrites(db, backend, silentWakeups()).end({
        name: "succeed",
        runToken: started?.runToken ?? "",
        artifacts: [],
        storedMs: null,
        move: { id: fresh, attempt: 1, data: {} },
      });
    }
    const [row] = await db.sql<{ ticketed: boolean }[]>`
      select ticketed_at is not null as ticketed from jobs where id = ${starving}`;
    expect([row?.ticketed, passedBy.length]).toEqual([true, passedForMinutes]);
  });

  it("is passed by new ones for 50 minutes and no longer, in the order in which graphile-worker takes tickets", async () => {
    const queue = "wide";
    await db.sql`insert into queues (name, created_at) values (${queue}, queue_now())`;
    const { lowest, highest } = minutes(queue);
    const starving = await lowest();
    await highest(0);
    const taken: string[] = [];
    const { promise: itsTurn, resolve, reject } = Promise.withResolvers<void>();
    const taker = new TicketTaker({
      url: db.url,
      slots: 1,
      take: async ({ job }) => {
        taken.push(job);
        if (job === starving || taken.length > 2 * passedForMinutes) resolve();
        // Before the one that is taken is done: the next one is there when the slot is free.
        else await highest(taken.length);
      },
      onPool: async () => {},
      onError: reject,
    });
    await taker.start();
    try {
      taker.serve([laneOf("bikes", queue)]);
      await itsTurn;
    } finally {
      await taker.stop();
    }
    expect(taken.indexOf(starving)).toBe(passedForMinutes);
  });
});
