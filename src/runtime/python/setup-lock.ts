import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

const pollMs = 200;

/**
 * Waits until nobody else sets up this environment. The lock is the kernel's, by way of SQLite, as the data folder's is:
 * it falls when its holder dies.
 */
export async function holdSetupLock(path: string, onWait: () => void): Promise<Disposable> {
  for (let waited = false; ; waited = true) {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      file.exec("begin exclusive");
      return { [Symbol.dispose]: () => file.close() };
    } catch (error) {
      file.close();
      if (!isBusy(error)) throw error;
    }
    if (!waited) onWait();
    await delay(pollMs);
  }
}

function isBusy(error: unknown): boolean {
  const sqliteBusy = 5;
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}
