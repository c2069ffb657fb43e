export interface LookoutOptions {
  /** At least so often everything is looked at, rung or not. */
  pollMs: number;
  /** Least time from one look to the next. */
  gapMs: number;
  /** False: nobody is interested, so there is no poll. */
  needed(): boolean;
  /** Called before a look that is to look at everything. */
  poll(): void;
  /** Called for each look that failed. */
  failed(error: Error): void;
}

const longestPauseMs = 2_000;

/**
 * Looks again and again: when rung, one look at a time, with a poll behind lost wake-ups. A look that fails is repeated
 * after a growing pause. A ring during a look leads to another one: what it is about may have been too late for this one.
 */
export class Lookout {
  readonly #look: () => Promise<number>;
  readonly #options: LookoutOptions;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #polledAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;
  #rung = false;
  #failures = 0;
  #closed = false;

  /** `look` returns after how many milliseconds to look again: Infinity means when rung, or when the poll's time has come. */
  constructor(look: () => Promise<number>, options: LookoutOptions) {
    this.#look = look;
    this.#options = options;
  }

  ring(): void {
    this.#rung = true;
    // After a look there is a plan for what was rung meanwhile, and while the database is away rings change nothing.
    if (this.#looking === null && this.#failures === 0) this.#planIn(0);
  }

  /** Ends after the look that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #planIn(ms: number): void {
    const now = performance.now();
    const dueAt = Math.max(now + ms, this.#lookedAt + this.#options.gapMs);
    if (this.#closed || dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    // In a microtask, so that what is rung together is looked at together.
    if (dueAt <= now) queueMicrotask(() => this.#start());
    else this.#timer = setTimeout(() => this.#start(), dueAt - now);
  }

  #start(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    if (this.#closed) return;
    this.#looking = this.#lookOnce().then((next) => {
      this.#looking = null;
      this.#planIn(next);
      if (this.#rung && this.#failures === 0) this.#planIn(0);
      if (this.#options.needed()) this.#planIn(this.#polledAt + this.#options.pollMs - performance.now());
    });
  }

  async #lookOnce(): Promise<number> {
    await null; // from here on rings find a look under way
    this.#rung = false;
    this.#lookedAt = performance.now();
    if (this.#lookedAt >= this.#polledAt + this.#options.pollMs) {
      this.#polledAt = this.#lookedAt;
      this.#options.poll();
    }
    try {
      const next = await this.#look();
      this.#failures = 0;
      return next;
    } catch (error) {
      this.#failures += 1;
      this.#rung = true; // what it should have looked at is still to be seen
      this.#polledAt = Number.NEGATIVE_INFINITY; // and notices may have been lost with the database
      this.#options.failed(error as Error);
      return Math.min(50 * 2 ** this.#failures, longestPauseMs);
    }
  }
}
