/** An async iterator that can be left at any time by `break`, `return()` or `await using`, also while it waits. */
export interface Stream<T> extends AsyncIterableIterator<T, void, undefined>, AsyncDisposable {
  return(): Promise<IteratorResult<T, void>>;
}

/**
 * Makes a stream of a generator. A generator that waits cannot be ended from outside: aborting what it waits for ends it.
 * `outer` ends the stream too, which then throws its reason.
 */
export function stream<T>(
  read: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  outer?: AbortSignal,
): Stream<T> {
  const left = new AbortController();
  const items = read(outer === undefined ? left.signal : AbortSignal.any([left.signal, outer]));
  const end = async () => {
    left.abort();
    return await items.return();
  };
  return {
    async next() {
      const taken = await items.next();
      if (taken.done) outer?.throwIfAborted();
      return taken;
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}
