import type { ArtifactStore } from "../artifacts/store.ts";
import type { Sql } from "../db/client.ts";
import { DomainError } from "../domain/errors.ts";

/** Where a worker keeps artifacts. */
export interface WorkerStore {
  /** What the store says that it is: who reads the same id shares it. */
  id: string;
  url: string;
  /** The database's, below which its artifacts are: a restored dump is another one, and never sweeps what is the first one's. */
  epoch: string;
}

/** Takes the store for artifacts of this database; it is made when it is not there yet. */
export async function claimStore(sql: Sql, store: ArtifactStore): Promise<WorkerStore> {
  const [feed] = await sql<{ epoch: string }[]>`select epoch from feeds`;
  if (feed === undefined) throw new Error("the database has no epoch");
  return { id: await store.claim(), url: store.url, epoch: feed.epoch };
}

/** Two hosts would keep artifacts in two places, and whoever asks for one would find it by chance. */
export class StoreNotSharedError extends DomainError {
  readonly code = "STORE_NOT_SHARED";

  constructor(own: string, host: string, theirs: string) {
    super(
      `A worker on ${host} keeps artifacts in ${theirs}, and this one would in ${own}, which is another store. Give all of ` +
        "them one that every host reaches: --artifacts s3://bucket/folder, or a folder that all have mounted. Or keep none: --artifacts none",
    );
  }
}

/** A worker that has not been heard of for so long counts no more. */
const leaseSeconds = 30;

/**
 * Refuses a store that a live worker on another host does not share. To be called in the transaction that registers the
 * worker: two that start at once take turns.
 *
 * @throws StoreNotSharedError
 */
export async function refuseOtherStores(
  sql: Sql,
  worker: { id: string; host: string },
  store: WorkerStore | null,
): Promise<void> {
  if (store === null) return;
  await sql`select pg_advisory_xact_lock(hashtextextended('flowerpower_queue.artifact_store', 0))`;
  const [other] = await sql<{ host: string; url: string | null }[]>`
    select w.host, s.url from workers w left join artifact_stores s on s.id = w.store
    where w.host <> ${worker.host} and w.id <> ${worker.id} and w.store <> ${store.id} and w.ended_at is null
      and w.heartbeat_at > queue_now() - make_interval(secs => ${leaseSeconds})
    order by w.id limit 1`;
  if (other !== undefined) throw new StoreNotSharedError(store.url, other.host, other.url ?? "another store");
  await sql`
    insert into artifact_stores (id, url) values (${store.id}, ${store.url})
    on conflict (id) do update set url = excluded.url where artifact_stores.url <> excluded.url`;
}
