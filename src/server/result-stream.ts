import { type ExecutionArgs, type ExecutionResult, execute } from "graphql";

export interface ResultStreamOptions {
  /** Where the client resumes after an item; null when it cannot. */
  cursorOf(item: unknown): string | null;
  /** Throws when the subscriber may no longer be told. */
  authorize(context: unknown): void;
  /** An error of the source, or of the server, as the last result. */
  failed(error: unknown): ExecutionResult;
  /** Makes a result fit to be seen. */
  shown(result: ExecutionResult): ExecutionResult;
  left(): void;
}

/**
 * The results of a subscription. Each event is executed with a context of its own, so that rights and loaded rows are those
 * of its moment, and carries its cursor in `extensions`. It can be left while it waits for the next event, and nothing
 * comes after that; an error is the last result, never an exception.
 */
export class ResultStream implements AsyncIterableIterator<ExecutionResult> {
  readonly #source: AsyncIterator<unknown>;
  readonly #args: ExecutionArgs;
  readonly #options: ResultStreamOptions;
  #stopped: Error | null = null;
  #left = false;
  #cursor: string | null = null;

  constructor(source: AsyncIterator<unknown>, args: ExecutionArgs, options: ResultStreamOptions) {
    this.#source = source;
    this.#args = args;
    this.#options = options;
  }

  async next(): Promise<IteratorResult<ExecutionResult>> {
    if (this.#left) return over;
    try {
      const item = await this.#source.next();
      if (this.#stopped !== null) throw this.#stopped;
      if (item.done) {
        this.#leave();
        return over;
      }
      const result = await this.#execute(item.value);
      // Left in the meantime: whoever has left is told nothing more.
      return this.#left ? over : { done: false, value: result };
    } catch (error) {
      if (this.#left) return over;
      this.#leave();
      void this.#source.return?.();
      return { done: false, value: this.#withCursor(this.#options.failed(error)) };
    }
  }

  /** Ends it with an error that says where to resume. */
  stop(error: Error): void {
    if (this.#left) return;
    this.#stopped = error;
    // A source that waits is thereby done, and `next` tells why.
    void this.#source.return?.();
  }

  async return(): Promise<IteratorResult<ExecutionResult>> {
    if (!this.#left) {
      this.#leave();
      await this.#source.return?.();
    }
    return over;
  }

  async throw(): Promise<IteratorResult<ExecutionResult>> {
    return await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #execute(item: unknown): Promise<ExecutionResult> {
    const contextValue = { ...(this.#args.contextValue as object) };
    this.#options.authorize(contextValue);
    const result = await execute({ ...this.#args, contextValue, rootValue: item });
    this.#cursor = this.#options.cursorOf(item) ?? this.#cursor;
    return this.#withCursor(this.#options.shown(result));
  }

  #withCursor(result: ExecutionResult): ExecutionResult {
    return this.#cursor === null ? result : { ...result, extensions: { ...result.extensions, cursor: this.#cursor } };
  }

  #leave(): void {
    this.#left = true;
    this.#options.left();
  }
}

const over = { done: true as const, value: undefined };
