import type { Changes } from "./changes.ts";
import { Lookout, type LookoutOptions } from "./lookout.ts";
import { readLastBatchEvents } from "./read-batches.ts";
import type { Reader } from "./reader.ts";

/** Tells those who watch batches of what happens to a batch as a whole: what happens to its jobs they hear from `Changes`. */
export class BatchLookout {
  readonly #lookout: Lookout;
  readonly #changes: Changes;
  readonly #reader: Reader;
  #seen: ReadonlyMap<string, number> = new Map();
  #awaited: PromiseWithResolvers<void>[] = [];

  constructor(reader: Reader, changes: Changes, times: Pick<LookoutOptions, "pollMs" | "gapMs" | "failed">) {
    this.#reader = reader;
    this.#changes = changes;
    this.#lookout = new Lookout(() => this.#look(), {
      ...times,
      needed: () => this.#changes.watchedBatches.size > 0,
      poll: () => {},
    });
  }

  ring(): void {
    if (this.#changes.watchedBatches.size > 0) this.#lookout.ring();
  }

  /** Resolves when it knows the last events of all batches that are watched now: what comes after them is told. */
  async seen(): Promise<void> {
    const awaited = Promise.withResolvers<void>();
    this.#awaited.push(awaited);
    this.#lookout.ring();
    await awaited.promise;
  }

  async close(): Promise<void> {
    await this.#lookout.close();
  }

  async #look(): Promise<number> {
    const awaited = this.#awaited;
    this.#awaited = [];
    const watched = [...this.#changes.watchedBatches];
    try {
      const last = await this.#reader.read((sql) => readLastBatchEvents(sql, watched));
      for (const [batchId, seq] of last) {
        // Seen for the first time it is shown to whoever has begun to watch it, and later than this.
        if ((this.#seen.get(batchId) ?? seq) !== seq) this.#changes.batchChanged(batchId);
      }
      this.#seen = last;
    } catch (error) {
      this.#awaited.push(...awaited);
      throw error;
    }
    for (const { resolve } of awaited) resolve();
    return Number.POSITIVE_INFINITY;
  }
}
