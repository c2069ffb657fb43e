import type { Cli } from "./cli.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * npm and a terminal each send one Ctrl-C to the same process: what follows this fast is the same one. Milliseconds.
 */
const sameSignalMs = 300;

export interface StopRequests extends Disposable {
  /** Resolves with the first request to stop. */
  readonly first: Promise<(typeof signals)[number]>;
  /** Resolves with the second: end now. */
  readonly second: Promise<void>;
}

/** Hears the requests to stop: the first lets things finish, the second ends them, a third one kills the process. */
export function hearStopRequests(source: Cli["signals"], kill: () => void = () => process.exit(1)): StopRequests {
  const first = Promise.withResolvers<(typeof signals)[number]>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  let heardAt = Number.NEGATIVE_INFINITY;
  const listeners = signals.map((signal) => {
    const listener = () => {
      const now = performance.now();
      const isSame = now - heardAt < sameSignalMs;
      heardAt = now;
      if (isSame) return;
      count += 1;
      if (count === 1) first.resolve(signal);
      else if (count === 2) second.resolve();
      else kill();
    };
    source.on(signal, listener);
    return { signal, listener };
  });
  return {
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) source.off(signal, listener);
    },
  };
}
