import { UnavailableError } from "./errors.ts";

const firstDelayMs = 100;
const longestDelayMs = 5000;

/** Waits before the next try: doubles each time, spread so that clients of a restarted server do not come all at once. */
export async function backOff(tries: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(firstDelayMs * 2 ** tries, longestDelayMs) * (0.75 + Math.random() / 2);
  await pause(ms, signal);
}

/** Acts, and again while the server is away, until `forMs` have passed since the first try. */
export async function withRetries<T>(
  act: (tries: number) => Promise<T>,
  { forMs, signal }: { forMs: number; signal: AbortSignal },
): Promise<T> {
  const startedAt = performance.now();
  for (let tries = 0; ; tries += 1) {
    try {
      return await act(tries);
    } catch (error) {
      if (!(error instanceof UnavailableError) || performance.now() - startedAt >= forMs) throw error;
      await backOff(tries, signal);
    }
  }
}

/** Rejects with the signal's reason when it is aborted meanwhile. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
