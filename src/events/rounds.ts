/** Work that is done again and again, one round at a time. */
export interface Rounds extends AsyncDisposable {
  /** Asks for a round now; during one, for another after it. */
  wake(): void;
}

/**
 * Does `round` at once and again whenever it is woken or the time that it has returned has passed (milliseconds). A round
 * that fails is told to `onError` and tried again after a second, then two, up to five: the database may be away.
 */
export function startRounds(round: () => Promise<number>, onError: (error: Error) => void): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let failures = 0;

  async function run(): Promise<void> {
    let waitMs: number;
    do {
      again = false;
      try {
        waitMs = await round();
        failures = 0;
      } catch (error) {
        failures += 1;
        waitMs = Math.min(failures * 1000, 5000);
        onError(error as Error);
        break;
      }
    } while (again && !stopped);
    running = null;
    if (!stopped) timer = setTimeout(start, Math.max(waitMs, 0));
  }

  function start(): void {
    clearTimeout(timer);
    running = run();
  }

  start();
  return {
    wake() {
      if (stopped) return;
      if (running === null) start();
      else again = true;
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
