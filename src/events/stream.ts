/** Where a stream takes its next item from. */
export interface Source<T> {
  /** The next item, or undefined when there is none yet. */
  take(): T | undefined;
  /** Called once, when the reader has left or the stream is over: from then on nothing is taken. */
  leave(): void;
}

/**
 * An async iterator over a source, which can be left while it waits: an async generator cannot, its `return()` would wait
 * for the next item. What the source still holds is read before the end or the error is.
 */
export class Stream<T> implements AsyncIterableIterator<T>, AsyncDisposable {
  readonly #source: Source<T>;
  #waiting: PromiseWithResolvers<IteratorResult<T>>[] = [];
  #ending: { error: Error | null } | null = null;
  #left = false;

  constructor(source: Source<T>) {
    this.#source = source;
  }

  /** The end or an error is on its way to the reader: nothing more must be put into the source. */
  get ending(): boolean {
    return this.#ending !== null;
  }

  /** To be called when the source has something again. */
  wake(): void {
    while (!this.#left && this.#waiting.length > 0) {
      const item = this.#source.take();
      if (item !== undefined) this.#waiting.shift()?.resolve({ done: false, value: item });
      else if (this.#ending !== null) this.#finish(this.#ending.error);
      else return;
    }
  }

  /** Nothing follows what the source holds; with an error, that is what the reader gets after it. */
  end(error: Error | null = null): void {
    this.#ending ??= { error };
    this.wake();
  }

  next(): Promise<IteratorResult<T>> {
    const waiting = Promise.withResolvers<IteratorResult<T>>();
    if (this.#left) waiting.resolve({ done: true, value: undefined });
    else this.#waiting.push(waiting);
    this.wake();
    return waiting.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.#finish(null);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #finish(error: Error | null): void {
    if (this.#left) return;
    this.#left = true;
    if (error !== null) this.#waiting.shift()?.reject(error);
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ done: true, value: undefined });
    this.#source.leave();
  }
}
