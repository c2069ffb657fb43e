import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { attemptOf } from "../artifacts/paths.ts";
import type { ArtifactStore } from "../artifacts/store.ts";
import type { Database } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";

/** A store, and what of it is this database's. */
export interface SweptStore {
  id: string;
  epoch: string;
  files: ArtifactStore;
}

export interface SweepOptions {
  db: Database;
  /** Null: only what is in the database is removed. */
  store: SweptStore | null;
  /** Where runs put files before they go to the store: on a disk that is full they cannot be made either. */
  workDir: string;
  /** Less room than this, and runs keep nothing. */
  freeBytes: number;
  workerId(): string;
  log(message: string, data: JsonObject): void;
}

/** Between two rounds; each does at most one batch of either kind, and another follows at once when there was more. */
export const sweepMs = 30_000;
const batchSize = 500;

/** Removes artifacts again and again: those whose time is over, and files that belong to nothing. Every worker does it. */
export function startSweep(options: SweepOptions): Rounds {
  const { db, store, log } = options;
  const sweep = store === null ? null : new OrphanSweep(db, store);
  let told: { workerId: string; problem: string | null } | null = null;

  async function round(): Promise<number> {
    const [workerId, problem] = [options.workerId(), await problemOf(options)];
    // One that was declared dead comes back under a new id, and its new row says nothing yet.
    if (workerId !== told?.workerId || problem !== told.problem) {
      await db.sql`update workers set store_problem = ${problem} where id = ${workerId}`;
      if (problem !== null) log("artifacts are not kept", { error: problem });
      told = { workerId, problem };
    }
    const expired = await removeExpired(db, store);
    const orphans = (await sweep?.next()) ?? 0;
    if (expired + orphans > 0) log("artifacts removed", { expired, orphans });
    return expired === batchSize ? 0 : sweepMs;
  }

  return startRounds(round, (error) => log("removing artifacts failed", { error: String(error) }));
}

/** Why nothing would be kept at present; null when it would. */
async function problemOf({ store, workDir, freeBytes }: SweepOptions): Promise<string | null> {
  if (store === null) return null;
  try {
    const { files } = store;
    if ((await files.id()) !== store.id)
      return `${files.url} is not what it was: is it not mounted, or was it removed?`;
    const free = Math.min((await files.freeBytes()) ?? Number.POSITIVE_INFINITY, await roomFor(workDir));
    if (free >= freeBytes) return null;
    return `only ${megabytes(free)} MB of disk are free, of which ${megabytes(freeBytes)} MB stay free`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Of a folder that is not made yet: of the one in which it will be. */
async function roomFor(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || dirname(folder) === folder) throw error;
    return await roomFor(dirname(folder));
  }
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1e6);
}

/**
 * Removes what has expired, one batch: first the files, then what the rows say of them. In between a download finds a row
 * without its file, and says that it is gone; a file without a row would stay for ever.
 */
export async function removeExpired(db: Database, store: SweptStore | null): Promise<number> {
  const expired = await db.sql<{ id: string; uri: string | null }[]>`
    select id, uri from artifacts
    where expires_at < queue_now() and removed_at is null and (store is null or store = ${store?.id ?? null})
    order by expires_at limit ${batchSize}`;
  if (expired.length === 0) return 0;
  await store?.files.remove(expired.flatMap(({ uri }) => uri ?? []));
  await db.sql`
    update artifacts set removed_at = queue_now(), uri = null, store = null, has_value = false, value = null, preview = null,
      omitted = 'removed when its time to live was over'
    where id = any(${expired.map(({ id }) => id)}::uuid[]) and removed_at is null`;
  return expired.length;
}

/** Removes folders of attempts of which no row speaks: of jobs that are gone, and of attempts that ended without being heard. */
export class OrphanSweep {
  readonly #db: Database;
  readonly #store: SweptStore;
  /** Folders that are still to be looked at in this pass. */
  #waiting: string[] = [];
  #days: string[] | null = null;

  constructor(db: Database, store: SweptStore) {
    this.#db = db;
    this.#store = store;
  }

  /** Looks at one batch, and begins again when all were looked at. Returns how many folders were removed. */
  async next(): Promise<number> {
    if (this.#waiting.length === 0) await this.#nextDay();
    const batch = this.#waiting.splice(0, batchSize);
    const orphans = await this.#orphansOf(batch);
    await this.#store.files.remove(orphans);
    return orphans.length;
  }

  async #nextDay(): Promise<void> {
    const { files, epoch } = this.#store;
    this.#days ??= (await files.names(epoch)).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name));
    const day = this.#days.shift();
    if (day === undefined) this.#days = null;
    else this.#waiting = (await files.names(`${epoch}/${day}`)).map((name) => `${epoch}/${day}/${name}`);
  }

  /** An attempt that still runs may have written already what its end will speak of. */
  async #orphansOf(folders: readonly string[]): Promise<string[]> {
    const known = folders.flatMap((folder) => {
      const attempt = attemptOf(folder.split("/").at(-1) ?? "");
      return attempt === null ? [] : [{ ...attempt, folder }];
    });
    if (known.length === 0) return [];
    const rows = await this.#db.sql<{ folder: string }[]>`
      select f.folder from jsonb_to_recordset(${this.#db.sql.json(known)}) as f (
        folder text, "jobId" uuid, attempt int, "runToken" uuid
      )
      left join attempts a on a.job_id = f."jobId" and a.attempt = f.attempt and a.run_token = f."runToken"
      where a.job_id is null or (a.ended_at is not null and not exists (
        select from artifacts r
        where r.job_id = a.job_id and r.attempt = a.attempt and r.uri is not null and r.store = ${this.#store.id}
      ))`;
    return rows.map(({ folder }) => folder);
  }
}
