/** How much one subscriber may have waiting. */
export interface BufferLimits {
  items: number;
  bytes: number;
}

export const bufferLimits: BufferLimits = { items: 1_000, bytes: 1_000_000 };

/**
 * What a subscriber has not taken yet. It says when it is full, and that it has room again when half of it was taken; one
 * batch is always taken whole, so it may run over by that. The items themselves are shared with other subscribers.
 */
export class Buffer<T extends { bytes: number }> {
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

  add(items: readonly T[]): void {
    for (const item of items) {
      this.#items.push(item);
      this.#bytes += item.bytes;
    }
    this.#full = this.size >= this.#limits.items || this.#bytes >= this.#limits.bytes;
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

  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}
