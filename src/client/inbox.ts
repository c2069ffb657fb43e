const mostWaiting = 1000;

/**
 * Items of one subscription that wait to be taken. Can be left while somebody waits for the next one. When too many wait, the
 * subscription is let go of and the inbox ends after them: whoever reads it resumes from the last, and memory stays bounded.
 */
export class Inbox<T> {
  #items: T[] = [];
  #ended = false;
  #overflowed = false;
  #error: Error | null = null;
  #wake: () => void = () => {};
  #leave: () => void = () => {};

  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    if (this.#items.length >= mostWaiting) {
      this.#overflowed = true;
      this.#close();
    }
    this.#wake();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: Error): void {
    if (!this.#ended) this.#error = error;
    this.end();
  }

  /** How to let go of the subscription. Called at once when it has been left before it began. */
  onLeave(leave: () => void): void {
    this.#leave = leave;
    if (this.#ended) leave();
  }

  /** Lets go of the subscription; what waits is dropped. */
  leave(): void {
    this.#items = [];
    this.#close();
    this.#wake();
  }

  /** It ended only because too many items waited. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** The next item, or null at the end. */
  async take(): Promise<T | null> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#error !== null) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
  }
}
