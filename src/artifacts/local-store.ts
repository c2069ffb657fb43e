import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, readFile, rm, rmdir, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isStorePath } from "./paths.ts";
import { ArtifactMissingError, type ArtifactStore, StoreUnusableError } from "./store.ts";

/** The file with the store's id; `python/flowerpower_job_queue/artifact_store.py` reads and writes it too. */
const marker = "store-id";

/** A folder on this machine, or one that several mount. */
export function openLocalStore(root: string): ArtifactStore {
  const url = pathToFileURL(root).href;

  function at(path: string): string {
    if (!isStorePath(path)) throw new ArtifactMissingError(path);
    return join(root, path);
  }

  async function id(): Promise<string | null> {
    return await orNull(async () => (await readFile(join(root, marker), "utf8")).trim());
  }

  return {
    url,
    id,
    async claim() {
      try {
        await mkdir(root, { recursive: true, mode: 0o700 });
        const unfinished = join(root, `.${randomUUID()}`);
        await writeFile(unfinished, randomUUID(), { mode: 0o600, flag: "wx" });
        // Whoever was first has made it.
        await link(unfinished, join(root, marker)).catch(ignoring("EEXIST"));
        await rm(unfinished);
      } catch (error) {
        throw new StoreUnusableError(url, String(error), { cause: error });
      }
      return (await id()) as string;
    },
    async read(path, start, end) {
      let file: FileHandle;
      try {
        // A link would lead out of the store, and our runtimes make none.
        file = await open(at(path), constants.O_RDONLY | constants.O_NOFOLLOW);
      } catch (error) {
        if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw new ArtifactMissingError(path);
        throw error;
      }
      const stat = await file.stat();
      if (!stat.isFile() || stat.size < end) {
        await file.close();
        throw new ArtifactMissingError(path);
      }
      // The end of a stream is its last byte; of nothing there is none.
      if (end === start) {
        await file.close();
        return nothing();
      }
      return file.createReadStream({ start, end: end - 1 });
    },
    async remove(paths) {
      for (const path of paths) {
        await rm(at(path), { recursive: true, force: true });
        await removeEmpty(root, dirname(path));
      }
    },
    async names(folder) {
      return (await orNull(() => readdir(folder === "" ? root : at(folder))))?.toSorted() ?? [];
    },
    async freeBytes() {
      const room = await orNull(() => statfs(root));
      return room === null ? null : room.bavail * room.bsize;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Folders in which nothing is left, upwards. */
async function removeEmpty(root: string, folder: string): Promise<void> {
  for (let path = folder; path !== "." && path !== "/"; path = dirname(path)) {
    const names = await orNull(() => readdir(join(root, path)));
    if (names === null || names.length > 0) return;
    await rmdir(join(root, path)).catch(ignoring("ENOTEMPTY", "ENOENT", "EEXIST"));
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

function ignoring(...codes: string[]): (error: unknown) => void {
  return (error) => {
    if (!isCode(error, ...codes)) throw error;
  };
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
