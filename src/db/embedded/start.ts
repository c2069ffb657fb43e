import { join } from "node:path";
import { createDataFolder, readServerInfo } from "../data-folder.ts";
import { binariesIn, copiedPostgres, installedPostgres, type PostgresBinaries } from "./binaries.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { DataFolderInUseError } from "./errors.ts";
import { tryFileLock } from "./file-lock.ts";
import { adoptLeftover } from "./leftover.ts";
import { LogFile } from "./log-file.ts";
import { pidFilePath } from "./pid-file.ts";
import { folderForCopy, type Place, placeOf } from "./place.ts";
import { launch, type Postmaster, stopPostmaster } from "./postmaster.ts";
import { serverUrl } from "./server-url.ts";
import { closedFolder } from "./system-user.ts";
import { watchPostgres } from "./watched.ts";

export interface EmbeddedPostgresOptions {
  /** The data folder (`.flowerpower-queue`). */
  folder: string;
  /** Refused when it is taken. Without: a usual one, or any that is free. */
  port?: number;
  /** Told in short sentences what takes time. */
  onProgress?: (message: string) => void;
  /** False for tests only. */
  fsync?: boolean;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** As superuser, to the database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly version: string;
  /** Left running by an earlier process, and taken over. */
  readonly adopted: boolean;
  /** The data directory was made by this start. */
  readonly freshlyCreated: boolean;
  stop(): Promise<void>;
}

/**
 * Starts the Postgres of a data folder. It ends with `stop()`, or with this process, however that ends; signals to our
 * process group don't reach it. Throws DataFolderInUseError when another process has it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { port = null, fsync = true, onProgress = () => {} } = options;
  const folder = createDataFolder(options.folder);
  const lock = tryFileLock(join(folder, "postgres.lock"));
  if (lock === null) throw new DataFolderInUseError(folder, readServerInfo(folder)?.url ?? null);
  using held = new DisposableStack();
  held.use(lock);
  const log = held.adopt(new LogFile(folder), (file) => file.close());

  const place = placeOf(folder);
  const binaries = binariesFor(place);
  const freshlyCreated = await prepareDataDirectory(place, binaries, log, { fsync, onProgress });
  const leftover = await adoptLeftover(place.data);
  const postmaster: Postmaster =
    leftover === null
      ? await launch({ place, binaries, log, port, fsync })
      : { ...leftover, watch: watchPostgres(leftover.pid, pidFilePath(place.data), place.user) };

  const keepLogSmall = setInterval(() => log.bound(), 60_000).unref();
  held.defer(() => clearInterval(keepLogSmall));
  const resources = held.move();
  const stopOnce = once(async () => {
    await stopPostmaster(postmaster);
    resources.dispose();
  });
  return {
    url: serverUrl(place.data, postmaster.port),
    port: postmaster.port,
    version: binaries.version,
    adopted: leftover !== null,
    freshlyCreated,
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

/** The installed programs, or a copy when their user can't reach them. */
function binariesFor({ user }: Place): PostgresBinaries {
  const installed = installedPostgres();
  const closed = closedFolder(user, join(installed, "bin"));
  return binariesIn(closed === null ? installed : copiedPostgres(installed, folderForCopy(closed)));
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= act();
    return done;
  };
}
