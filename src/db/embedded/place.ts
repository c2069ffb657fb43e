import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EmbeddedPostgresError } from "./errors.ts";
import { closedFolder, postgresUser, type SystemUser } from "./system-user.ts";

/** Where root's Postgres lives when its user can't reach the data folder. */
const systemFolder = "/var/lib/flowerpower-queue";

export interface Place {
  /** Postgres' data directory, which may not exist yet. */
  data: string;
  user: SystemUser;
}

/**
 * Decides where the data is and who owns it. Normally `pg` in the data folder. Root's Postgres runs as another user,
 * who can't get into a folder under `/root`: then the data is under /var/lib, and the file `pg.location` says where.
 */
export function placeOf(folder: string): Place {
  const inside = join(folder, "pg");
  const location = join(folder, "pg.location");
  if (existsSync(location)) return owned(readFileSync(location, "utf8").trim());
  const place = owned(inside);
  openFolder(place.user, folder);
  const closed = closedFolder(place.user, folder);
  if (closed === null) return place;
  if (existsSync(inside))
    throw new EmbeddedPostgresError(`Postgres' user can't enter ${closed}. Run: chmod o+x ${closed}`);

  // By chance and not by the folder's name: who deletes the data folder wants to begin anew.
  const outside = join(systemFolder, `${basename(dirname(folder))}-${randomBytes(4).toString("hex")}`);
  makeSystemFolder(closed);
  writeFileSync(location, `${outside}\n`);
  return { data: outside, user: place.user };
}

/** Our own folder may be passed through; the ones above it are not ours to change. */
function openFolder(user: SystemUser, folder: string): void {
  if (closedFolder(user, folder) === folder) chmodSync(folder, (statSync(folder).mode & 0o7777) | 0o011);
}

/** The folder for a copy of the programs, when the installed ones are out of reach too. */
export function folderForCopy(closed: string): string {
  makeSystemFolder(closed);
  return systemFolder;
}

/** As root we serve whoever made the data: an ordinary user can then go on with it. */
function owned(data: string): Place {
  const uid = process.getuid?.();
  if (!existsSync(data)) return { data, user: postgresUser() };
  const owner = statSync(data);
  if (uid === 0 && owner.uid !== 0) return { data, user: { uid: owner.uid, gid: owner.gid } };
  if (uid !== 0 && owner.uid !== uid) {
    throw new EmbeddedPostgresError(
      `${data} belongs to another user (uid ${owner.uid}). Run as that user or as root, or choose another folder with --data.`,
    );
  }
  return { data, user: postgresUser() };
}

function makeSystemFolder(closed: string): void {
  try {
    mkdirSync(systemFolder, { recursive: true });
    chmodSync(systemFolder, 0o755);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `As root, Postgres runs as the user postgres, who can't enter ${closed}, and ${systemFolder} can't be made either. ` +
        "Choose a folder that others can enter with --data, or run as an ordinary user.",
      null,
      { cause: error },
    );
  }
}
