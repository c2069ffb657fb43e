import { expect } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { terminalEventTypes } from "../../src/domain/event-types.ts";
import { countEnded } from "../../src/jobs/metrics.ts";
import { eventually } from "./eventually.ts";

/**
 * Counts all lives that have ended. Once is not always enough: a transaction of another test that ends in this very moment may
 * hold the horizon of the feed for as long as nobody can tell whose it was.
 */
export async function countAll(db: Database): Promise<void> {
  await eventually(async () => {
    while (await countEnded(db));
    const left = await db.sql`
      select e.id from events e left join feed_readers r on r.name = 'metrics'
      where e.type in ${db.sql([...terminalEventTypes])} and (r.name is null or (e.xid, e.id) > (r.xid, r.id)) limit 1`;
    expect(left).toHaveLength(0);
  });
}
