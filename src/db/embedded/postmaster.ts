import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { PostgresBinaries } from "./binaries.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import type { LogFile } from "./log-file.ts";
import { isAlive, readPidFile } from "./pid-file.ts";
import type { Place } from "./place.ts";
import { freePort, portIfFree } from "./port.ts";
import { settingsArguments } from "./settings.ts";
import { exitOf, interrupt, spawnWatched } from "./watched.ts";

/** A running Postgres and the shell that ends it when we die. */
export interface Postmaster {
  data: string;
  pid: number;
  port: number;
  watch: ChildProcess;
}

export interface LaunchOptions {
  place: Place;
  binaries: PostgresBinaries;
  log: LogFile;
  /** Null: any free one. */
  port: number | null;
  fsync: boolean;
}

const pollMs = 10;
const retryMs = 250;
/** How long the remains of a killed Postgres may keep a new one from starting. */
const remainsMs = 15_000;
const stopMs = 20_000;

/** Starts Postgres and waits until it answers. Comes back from what passes by itself: a port just taken, remains of a killed one. */
export async function launch(options: LaunchOptions): Promise<Postmaster> {
  const { log, place } = options;
  const deadline = Date.now() + remainsMs;
  for (;;) {
    const port = options.port === null ? await freePort() : await requirePort(options.port);
    log.mark();
    const started = await launchOnce(options, port);
    if (started !== null) return started;
    const said = log.since();
    const passes = /postmaster\.pid" already exists|shared memory block .* is still in use/.test(said);
    const taken = options.port === null && said.includes("Address already in use");
    if (!(passes || taken) || Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `Postgres does not start on ${place.data}: ${log.lastWords()} (more in ${log.path}).${hintFor(said)}`,
      );
    }
    await delay(retryMs);
  }
}

/** Ends Postgres in an orderly way: sessions are cut, everything is written. After `stopMs` less orderly. */
export async function stopPostmaster({ data, pid, watch }: Postmaster): Promise<void> {
  const late = setTimeout(() => signal(pid, "SIGQUIT"), stopMs);
  interrupt(watch);
  await exitOf(watch);
  // The shell may have been killed and Postgres not. Removing its pid file is the last thing that Postgres does.
  for (let polls = 0; isAlive(pid) && readPidFile(data)?.pid === pid; polls++) {
    if (polls % 100 === 0) signal(pid, "SIGINT");
    await delay(pollMs);
  }
  clearTimeout(late);
}

async function launchOnce(options: LaunchOptions, port: number): Promise<Postmaster | null> {
  const { binaries, place, log, fsync } = options;
  const before = readPidFile(place.data); // of a killed one: still there, and says "ready"
  const command = [binaries.postgres, "-D", place.data, ...settingsArguments({ port, fsync })];
  const watch = spawnWatched(command, place.user, log.fd);
  let over = false;
  const exited = exitOf(watch).finally(() => {
    over = true;
  });
  // However long it takes: recovery after a crash may have much to read.
  while (!over) {
    const found = readPidFile(place.data);
    const isNew = found?.startedAt !== before?.startedAt || found?.pid !== before?.pid;
    if (found?.status === "ready" && found.port === port && isNew) {
      watch.unref(); // a server keeps itself alive, its Postgres does not
      return { data: place.data, pid: found.pid, port, watch };
    }
    await delay(pollMs);
  }
  await exited;
  return null;
}

async function requirePort(port: number): Promise<number> {
  if ((await portIfFree(port)) !== null) return port;
  throw new EmbeddedPostgresError(`The port ${port} for embedded Postgres is in use. Choose another one, or none.`);
}

function hintFor(said: string): string {
  if (/shared memory|\/dev\/shm/.test(said)) {
    return " Shared memory is too small: in a container, raise it (docker run --shm-size=256m).";
  }
  if (said.includes("No space left on device")) return " The disk is full: free some space.";
  return "";
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
