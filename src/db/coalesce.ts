/** A flush takes milliseconds; after this long without an answer it is asked whether anybody is there. */
const slowMs = 10_000;

/**
 * Lets many callers share one statement. What arrives while a flush is under way goes with the next one; alone, a caller waits
 * for nobody. Each caller gets its own result, after the commit. When a flush fails, its items are tried one by one, so that
 * a bad one fails only its caller. `onSlow` is told again and again while a flush has no answer for long.
 */
export function coalesce<Item, Result>(
  flush: (items: Item[]) => Promise<Result[]>,
  { most = 500, onSlow = () => {} }: { most?: number; onSlow?: () => void } = {},
): (item: Item) => Promise<Result> {
  const waiting: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  let flushing = false;

  async function run(): Promise<void> {
    flushing = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, most);
      try {
        const results = await watched(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, i) => {
          resolve(results[i] as Result);
        });
      } catch (error) {
        if (batch.length === 1) batch[0]?.reject(error);
        else await Promise.all(batch.map(single));
      }
    }
    flushing = false;
  }

  async function watched(items: Item[]): Promise<Result[]> {
    const timer = setInterval(onSlow, slowMs);
    try {
      return await flush(items);
    } finally {
      clearInterval(timer);
    }
  }

  async function single({ item, resolve, reject }: (typeof waiting)[number]): Promise<void> {
    try {
      const [result] = await watched([item]);
      resolve(result as Result);
    } catch (error) {
      reject(error);
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // On the next turn of the event loop, so that callers of the same turn go together.
      if (!flushing) {
        flushing = true;
        setImmediate(run);
      }
    });
}
