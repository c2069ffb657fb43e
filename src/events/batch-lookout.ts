import type { Changes } from "./changes.ts";
import { Lookout, type LookoutOptions } from "./lookout.ts";
import { readLastBatchEvents } from "./read-batches.ts";
import type { Reader } from "./reader.ts";

/** Tells those who watch batches of what happens to a batch as a whole: what happens to its jobs they hear from `Changes`. */
export class BatchLookout {
  readonly #lookout: Lookout;
  readonly #changes: Changes;
  readonly #reader: Reader;
  #seen = new Map<string, number>();

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

  async close(): Promise<void> {
    await this.#lookout.close();
  }

  async #look(): Promise<number> {
    const watched = [...this.#changes.watchedBatches];
    const last = watched.length === 0 ? new Map() : await this.#reader.read((sql) => readLastBatchEvents(sql, watched));
    for (const [batchId, seq] of last) if (this.#seen.get(batchId) !== seq) this.#changes.batchChanged(batchId);
    this.#seen = last;
    return Number.POSITIVE_INFINITY;
  }
}
