import { setTimeout as delay } from "node:timers/promises";
import { type Postmaster, stopPostmaster } from "./postmaster.ts";

const againMs = 500;
const againAtMostMs = 10_000;

/**
 * Keeps Postgres running until `stop()`: one that was killed (out of memory, by hand) is started again, on the same port,
 * so that everybody who reconnects finds it. Never gives up, because a full disk may be emptied.
 */
export function supervise(
  first: Postmaster,
  startAgain: (port: number) => Promise<Postmaster>,
  onProgress: (message: string) => void,
): { stop(): Promise<void> } {
  let current = first;
  let stopping = false;
  let restarted: Promise<void> = Promise.resolve();

  function watch(): void {
    current.watch.once("exit", () => {
      if (!stopping) restarted = restart();
    });
  }

  async function restart(): Promise<void> {
    onProgress("Postgres has ended without being asked to: starting it again");
    for (let pauseMs = againMs; !stopping; pauseMs = Math.min(2 * pauseMs, againAtMostMs)) {
      try {
        current = await startAgain(current.port);
        watch();
        return;
      } catch (error) {
        onProgress(`${error instanceof Error ? error.message : error} Trying again.`);
        await delay(pauseMs, undefined, { ref: false });
      }
    }
  }

  watch();
  return {
    async stop() {
      stopping = true;
      await restarted;
      await stopPostmaster(current);
    },
  };
}
