import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { EmbeddedPostgresError } from "./errors.ts";

/** Who Postgres runs as. Null: as ourselves. */
export type SystemUser = { uid: number; gid: number } | null;

/** Postgres refuses to run as root: then it runs as the system user `postgres`, who is made when missing. */
export function postgresUser(): SystemUser {
  if (process.getuid?.() !== 0) return null;
  const user = lookUp("postgres") ?? createUser("postgres");
  if (user.uid === 0) throw new EmbeddedPostgresError("The system user postgres is root. Postgres can't run as root.");
  return user;
}

/** The first folder on the way to `path` that the user can't pass through, or null when he gets there. */
export function closedFolder(user: SystemUser, path: string): string | null {
  if (user === null) return null;
  const folders: string[] = [];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) folders.unshift(folder);
  // Asked of the kernel as that user, because modes alone don't tell (groups, access lists).
  const script = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit 0; }; done';
  const { stdout, error } = spawnSync("/bin/sh", ["-c", script, "sh", ...folders], {
    ...user,
    encoding: "utf8",
    cwd: "/",
    env: {},
  });
  if (error !== undefined) {
    throw new EmbeddedPostgresError(
      `Can't become the user postgres (${error.message}). Run as an ordinary user.`,
      null,
      {
        cause: error,
      },
    );
  }
  return stdout === "" ? null : stdout;
}

function lookUp(name: string): { uid: number; gid: number } | null {
  const [uid, gid] = [run("id", "-u", name), run("id", "-g", name)];
  return uid === null || gid === null ? null : { uid: Number(uid), gid: Number(gid) };
}

function createUser(name: string): { uid: number; gid: number } {
  run("groupadd", "--system", name); // fails when the group is there already, which is as good
  run("useradd", "--system", "--gid", name, "--no-create-home", "--home-dir", "/", "--shell", "/bin/false", name);
  const user = lookUp(name);
  if (user !== null) return user;
  throw new EmbeddedPostgresError(
    `Postgres can't run as root, and there is no system user ${name} and no way to make one (useradd). ` +
      `Create the user ${name}, run as an ordinary user, or set DATABASE_URL to a Postgres of your own.`,
  );
}

function run(command: string, ...args: string[]): string | null {
  const path = "/usr/sbin:/usr/bin:/sbin:/bin";
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", env: { PATH: path } });
  return status === 0 ? stdout.trim() : null;
}
