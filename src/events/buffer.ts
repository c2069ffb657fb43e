/** How much one subscriber may have waiting. */
export interface BufferLimits {
  items: number;
  bytes: number;
}

export const bufferLimits: BufferLimits = { items: 1_000, bytes: 1_000_000 };

/**
 * What a subscriber has not taken yet. When it is full it takes nothing more until half of it is gone, so that a slow
 * subscriber is served in few large batches. The items themselves are shared with other subscribers.
 */
export class EventBuffer<T extends { bytes: number }> {
  readonly #limits: BufferLimits;
  #items: T[] = [];
  #first = 0;
  #bytes = 0;
  #full = false;

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  get full(): boolean {
    return this.#full;
  }

  get size(): number {
    return this.#items.length - this.#first;
  }

  /** Returns false when the item was not taken. One item is always taken, whatever its size. */
  add(item: T): boolean {
    if (this.#full) return false;
    if (this.size > 0 && (this.size >= this.#limits.items || this.#bytes + item.bytes > this.#limits.bytes)) {
      this.#full = true;
      return false;
    }
    this.#items.push(item);
    this.#bytes += item.bytes;
    return true;
  }

  take(): T | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#first += 1;
    this.#bytes -= item.bytes;
    // Cut off what was taken now and then: shift() on a long array moves all of it each time.
    if (this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    if (this.#full) this.#full = this.size * 2 > this.#limits.items || this.#bytes * 2 > this.#limits.bytes;
    return item;
  }

  /** Lets go of everything. */
  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}
