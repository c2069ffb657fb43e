import type { ArtifactStore } from "../artifacts/store.ts";
import type { Database } from "../db/client.ts";
import { DomainError } from "../domain/errors.ts";
import { OtherStoreError } from "./download.ts";

/** What was found out is good for so long. */
const freshMs = 10_000;
/** A store that takes longer is not waited for: the answer is what was known before. */
const patienceMs = 500;

/** Finds out whether this server can hand out what the workers keep, without keeping anybody waiting. */
export class StoreProbe {
  readonly #db: Database;
  readonly #store: ArtifactStore | null;
  #known: string | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  constructor(db: Database, store: ArtifactStore | null) {
    this.#db = db;
    this.#store = store;
  }

  /** Why it cannot; null when it can, when there is nothing to hand out, or when that is not known yet. */
  async problem(): Promise<string | null> {
    if (performance.now() - this.#askedAt > freshMs) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = null;
      });
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, patienceMs);
      await Promise.race([this.#asking, late.promise]);
      clearTimeout(timer);
    }
    return this.#known;
  }

  async #ask(): Promise<void> {
    try {
      const used = await this.#used();
      this.#known = used.length === 0 ? null : await this.#problemOf(used);
      this.#askedAt = performance.now();
    } catch {
      // The database does not answer: others tell that, and what was known of the store still holds.
    }
  }

  async #problemOf(used: readonly { id: string; url: string }[]): Promise<string | null> {
    try {
      const id = (await this.#store?.id()) ?? null;
      const other = used.find((one) => one.id !== id);
      return other === undefined ? null : new OtherStoreError(other.url, this.#store?.url ?? null).message;
    } catch (error) {
      return error instanceof DomainError ? error.message : String(error);
    }
  }

  /** The stores of living workers. */
  async #used(): Promise<{ id: string; url: string }[]> {
    return await this.#db.sql`
      select distinct s.id, s.url from workers w join artifact_stores s on s.id = w.store
      where w.ended_at is null and w.heartbeat_at > queue_now() - interval '30 seconds'`;
  }
}
