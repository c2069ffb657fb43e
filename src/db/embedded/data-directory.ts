import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { DiskFullError, EmbeddedPostgresError, PostgresVersionError } from "./errors.ts";
import type { LogFile } from "./log-file.ts";
import type { Place } from "./place.ts";
import { exitOf, spawnWatched } from "./watched.ts";

/** The superuser, and the only user. */
export const superuser = "flowerpower";

const passwordFile = "flowerpower.password";
const newDataBytes = 500_000_000;
const oldDataBytes = 50_000_000;

/** Makes the data directory when there is none, else checks that it is one of ours. Says whether it is new. */
export async function prepareDataDirectory(
  place: Place,
  binaries: PostgresBinaries,
  log: LogFile,
  { fsync, onProgress }: { fsync: boolean; onProgress: (message: string) => void },
): Promise<boolean> {
  const { data } = place;
  mkdirSync(dirname(data), { recursive: true });
  const fresh = !existsSync(data);
  requireDisk(dirname(data), fresh ? newDataBytes : oldDataBytes);
  if (fresh) {
    onProgress(`Postgres ${binaries.version} makes its data directory ${data}`);
    await initialise(place, binaries, log, fsync);
    return true;
  }
  const major = readOrNull(join(data, "PG_VERSION"))?.trim();
  if (major === undefined || readOrNull(join(data, passwordFile)) === null) {
    throw new EmbeddedPostgresError(
      `${data} was not made by flowerpower-queue, or lacks PG_VERSION or ${passwordFile}. Move it away, or choose another folder with --data.`,
    );
  }
  if (major !== binaries.major) throw new PostgresVersionError(data, major, binaries.major);
  return false;
}

export function readPassword(data: string): string {
  return readFileSync(join(data, passwordFile), "utf8").trim();
}

/** Under another name first, so that a directory with the final name is always complete. */
async function initialise({ data, user }: Place, binaries: PostgresBinaries, log: LogFile, fsync: boolean) {
  const prefix = `${basename(data)}.unfinished-`;
  for (const entry of readdirSync(dirname(data))) {
    if (entry.startsWith(prefix)) rmSync(join(dirname(data), entry), { recursive: true, force: true, maxRetries: 5 });
  }
  const unfinished = join(dirname(data), `${prefix}${randomBytes(4).toString("hex")}`);
  const password = `${unfinished}.password`;
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(password, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600 });
  if (user !== null) for (const path of [unfinished, password]) chownSync(path, user.uid, user.gid);

  log.mark();
  const command = [
    binaries.initdb,
    `--pgdata=${unfinished}`,
    `--username=${superuser}`,
    `--pwfile=${password}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // Postgres' own C.UTF-8: the same order on every system, whatever locales it has.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    ...(fsync ? [] : ["--no-sync"]),
  ];
  const code = await exitOf(spawnWatched(command, user, log.fd));
  if (code !== 0) {
    const words = log.lastWords();
    rmSync(unfinished, { recursive: true, force: true, maxRetries: 5 });
    rmSync(password, { force: true });
    const hint = words.includes("effective user ID")
      ? " Postgres needs an entry for this user in /etc/passwd: run as root or as another user."
      : "";
    throw new EmbeddedPostgresError(`Postgres could not make its data directory ${data}: ${words}.${hint}`);
  }
  renameSync(password, join(unfinished, passwordFile));
  renameSync(unfinished, data);
}

export function requireDisk(folder: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < neededBytes) throw new DiskFullError(folder, bavail * bsize, neededBytes);
}

function readOrNull(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
