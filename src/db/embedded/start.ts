import { join } from "node:path";
import { createDataFolder, lockDataFolder } from "../data-folder.ts";
import { binariesIn, copiedPostgres, installedPostgres, type PostgresBinaries } from "./binaries.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { adoptLeftover } from "./leftover.ts";
import { LogFile } from "./log-file.ts";
import { folderForCopy, type Place, placeOf } from "./place.ts";
import { launch } from "./postmaster.ts";
import { serverUrl } from "./server-url.ts";
import { supervise } from "./supervise.ts";
import { closedFolder } from "./system-user.ts";

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
  using held = new DisposableStack();
  held.use(lockDataFolder(folder, "postgres.lock"));
  const log = held.adopt(new LogFile(folder), (file) => file.close());

  const place = placeOf(folder);
  const binaries = binariesFor(place);
  const freshlyCreated = await prepareDataDirectory(place, binaries, log, { fsync, onProgress });
  const leftover = await adoptLeftover(place, log);
  const postmaster = leftover ?? (await launch({ place, binaries, log, port, fsync }));
  const supervised = supervise(
    postmaster,
    async (samePort) =>
      (await adoptLeftover(place, log)) ?? (await launch({ place, binaries, log, port: samePort, fsync })),
    onProgress,
  );

  const keepLogSmall = setInterval(() => log.bound(), 60_000).unref();
  held.defer(() => clearInterval(keepLogSmall));
  const resources = held.move();
  const stop = once(async () => {
    await supervised.stop();
    resources.dispose();
  });
  return {
    url: serverUrl(place.data, postmaster.port),
    port: postmaster.port,
    version: binaries.version,
    adopted: leftover !== null,
    freshlyCreated,
    stop,
    [Symbol.asyncDispose]: stop,
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
