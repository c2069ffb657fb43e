import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface FileLock extends Disposable {
  release(): void;
}

/**
 * Takes the lock that this file stands for, or returns null when somebody has it: another process, or this one.
 * The kernel gives it back when the process ends, by whatever cause, so there is no stale lock and no pid to doubt.
 * Node has no file locks of its own; the ones of its SQLite are the kernel's (fcntl), on Linux and macOS alike.
 * Nothing else may open the file in this process: closing it there would give the lock back.
 */
export function tryFileLock(path: string): FileLock | null {
  // A file that can't be written is opened for reading, and then nobody is shut out.
  accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec("begin exclusive");
  } catch (error) {
    file.close();
    if (isBusy(error)) return null;
    throw error;
  }
  const release = () => {
    if (file.isOpen) file.close();
  };
  return { release, [Symbol.dispose]: release };
}

function isBusy(error: unknown): boolean {
  const sqliteBusy = 5;
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}
