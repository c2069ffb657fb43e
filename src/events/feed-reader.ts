import type postgres from "postgres";
import type { Database, Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import type { FollowedEventType } from "../domain/event-types.ts";

/** One that reads the feed for all processes together, and what of it. */
export interface FeedReader {
  /** Under this name the database remembers how far it has come. */
  name: string;
  types: readonly FollowedEventType[];
  /** Events of one transaction. */
  batchSize: number;
  /** Where it begins when it reads for the first time: with all that is kept, or with what comes from then on. */
  from: "oldest" | "now";
}

interface Place {
  xid: string;
  id: string;
}

/**
 * Gives `use` the reader's next events, as a subquery with the columns of `events`, in one transaction with its new place: each
 * event is used once, whatever dies, whatever the order of the commits, by one process at a time. Only what lies below the
 * horizon of the feed is given: nothing can appear before it any more. True when more is left to be read.
 *
 * An event whose job was deleted before it was read is not given.
 */
export async function readOn(
  db: Database,
  reader: FeedReader,
  use: (tx: Sql, events: postgres.PendingQuery<postgres.Row[]>) => Promise<void>,
): Promise<boolean> {
  if (!(await hasNews(db.sql, reader))) return false;
  const { name, types, batchSize, from } = reader;
  const count = await withRetries(() =>
    db.sql.begin(async (tx) => {
      const place = await placeOf(tx, name, from);
      if (place === null) return 0;
      const after = tx`e.type in ${tx([...types])} and (e.xid, e.id) > (${place.xid}::xid8, ${place.id}::bigint)`;
      const [batch] = await tx<({ count: number } & Place)[]>`
        with horizon as materialized (select feed_horizon() as xid), next as materialized (
          select e.xid, e.id from events e cross join horizon h
          where ${after} and e.xid < h.xid order by e.xid, e.id limit ${batchSize}
        )
        select (select count(*) from next)::int as count, xid::text, id::text from next order by xid desc, id desc limit 1`;
      if (batch === undefined) return 0;
      const upTo = tx`(e.xid, e.id) <= (${batch.xid}::xid8, ${batch.id}::bigint)`;
      // The order and the limit say to Postgres that they are few: it reads the index.
      const events = tx`(select * from events e where ${after} and ${upTo} order by e.xid, e.id limit ${batch.count})`;
      await use(tx, events);
      await tx`update feed_readers set xid = ${batch.xid}::xid8, id = ${batch.id}::bigint where name = ${name}`;
      return batch.count;
    }),
  );
  return count === batchSize;
}

/** Asked without a lock: every process looks every few seconds, mostly in vain, and then nothing is to be written. */
async function hasNews(sql: Sql, { name, types }: FeedReader): Promise<boolean> {
  const [reader] = await sql<{ news: boolean }[]>`
    select exists (
      select from events e
      where e.type in ${sql([...types])} and (e.xid, e.id) > (r.xid, r.id) and e.xid < feed_horizon()
    ) as news
    from feed_readers r where r.name = ${name}`;
  return reader?.news ?? true;
}

/** Its row is the lock. Null while another process reads. */
async function placeOf(tx: Sql, name: string, from: FeedReader["from"]): Promise<Place | null> {
  const read = () =>
    tx<Place[]>`select xid::text, id::text from feed_readers where name = ${name} for no key update skip locked`;
  const [place] = await read();
  if (place !== undefined) return place;
  const start = from === "now" ? tx`feed_horizon()` : tx`'0'::xid8`;
  await tx`insert into feed_readers (name, xid, id) values (${name}, ${start}, 0) on conflict do nothing`;
  return (await read())[0] ?? null;
}
