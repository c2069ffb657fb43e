import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DataFolderInUseError, DataFolderUnusableError } from "./embedded/errors.ts";
import { type FileLock, tryFileLock } from "./embedded/file-lock.ts";

/** The folder `.flowerpower-queue/`: everything we keep on a machine, held by one process at a time. */
export interface DataFolder extends Disposable {
  readonly path: string;
  /** Tells other processes where we answer. Gone again after `close()`. */
  writeServerInfo(info: ServerInfo): void;
  close(): void;
}

/** What `server.json` says: how the CLI finds a running server. */
export interface ServerInfo {
  url: string;
  pid: number;
  startedAt: string;
  version: string;
}

/** Makes the folder when it is missing and takes it for this process. Throws DataFolderInUseError when another has it. */
export function openDataFolder(path: string): DataFolder {
  const folder = createDataFolder(path);
  const lock = lockDataFolder(folder, "lock");
  // What a killed predecessor left: nobody answers there any more.
  rmSync(serverInfoPath(folder), { force: true });
  const close = () => {
    rmSync(serverInfoPath(folder), { force: true });
    lock.release();
  };
  return { path: folder, writeServerInfo: (info) => writeServerInfo(folder, info), close, [Symbol.dispose]: close };
}

/** Makes the folder, invisible to git, without taking it. Returns its absolute path. */
export function createDataFolder(path: string): string {
  const folder = resolve(path);
  try {
    // Others may pass through (Postgres runs as another user when we are root), but not look around.
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (!existsSync(join(folder, ".gitignore"))) writeFileSync(join(folder, ".gitignore"), "*\n");
  } catch (error) {
    throw new DataFolderUnusableError(folder, error);
  }
  return folder;
}

/** Takes one of the folder's locks for this process. */
export function lockDataFolder(folder: string, name: string): FileLock {
  let lock: FileLock | null;
  try {
    lock = tryFileLock(join(folder, name));
  } catch (error) {
    throw new DataFolderUnusableError(folder, error);
  }
  if (lock === null) throw new DataFolderInUseError(folder, readServerInfo(folder)?.url ?? null);
  return lock;
}

/** Where the server on this folder answers, or null when none has said so. */
export function readServerInfo(path: string): ServerInfo | null {
  let text: string;
  try {
    text = readFileSync(serverInfoPath(path), "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return null;
    throw error;
  }
  return JSON.parse(text) as ServerInfo;
}

function writeServerInfo(folder: string, info: ServerInfo): void {
  const path = serverInfoPath(folder);
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(info, null, 2)}\n`);
  renameSync(unfinished, path); // a reader sees the whole file or none
}

function serverInfoPath(folder: string): string {
  return join(folder, "server.json");
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
