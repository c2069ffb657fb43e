import { type Command, InvalidArgumentError, Option } from "commander";
import { labelPattern, labelRule, labelSet } from "../domain/lanes.ts";
import { type Retention, retentionDefaults } from "../domain/retention.ts";
import type { Cli } from "./cli.ts";
import { readRetention, retentionHint, slotsRange } from "./config.ts";
import { parseDurationMs } from "./units.ts";

/** Flags of the commands that run a server or a worker. */
export interface UpFlags {
  project: string[];
  projectsRoot: string[];
  host?: string;
  port?: number;
  slots?: number;
  label: string[];
  data?: string;
  artifacts?: string;
  keep?: Retention;
  allowOrigin: string[];
  grace: number;
}

/** As many runs at once as a machine is asked for that nobody has described: more only costs memory. */
export const defaultSlots = 2;
export const defaultGraceMs = 30_000;
export const defaultHost = "127.0.0.1";

export function addServerFlags(command: Command): Command {
  return command
    .option("--host <address>", `where the API listens (${defaultHost}, or FLOWERPOWER_QUEUE_HOST)`)
    .option("--port <number>", "its port; 0: any free one (4000, or FLOWERPOWER_QUEUE_PORT)", port)
    .option("--allow-origin <origin>", "a web page's origin that may use the API; may be repeated", collect, []);
}

export function addWorkerFlags(command: Command): Command {
  return command
    .option("--project <[name=]dir>", "a FlowerPower project; may be repeated (the one around here)", collect, [])
    .option("--projects-root <dir>", "serve every project directly below this folder; may be repeated", collect, [])
    .option("--slots <count>", `runs at the same time (${defaultSlots}, or FLOWERPOWER_QUEUE_SLOTS)`, slots)
    .option(
      "--label <label>",
      "take jobs that need it too: gpu, region=eu; may be repeated (FLOWERPOWER_QUEUE_LABELS: gpu,region=eu)",
      label,
      [],
    )
    .option("--data <folder>", "where everything is kept (.flowerpower-queue, or FLOWERPOWER_QUEUE_DATA)")
    .addOption(
      new Option("--grace <duration>", "how long runs may go on after a request to stop")
        .argParser(lengthMs)
        .default(defaultGraceMs, `${defaultGraceMs / 1000} s`),
    );
}

export function addStoreFlags(command: Command): Command {
  return command.option(
    "--artifacts <url>",
    "where artifacts are kept: a folder, any URL that fsspec opens (s3://bucket/folder), or none (artifacts in the data folder, or FLOWERPOWER_QUEUE_ARTIFACTS)",
  );
}

export function addKeepFlag(command: Command): Command {
  return command.option(
    "--keep <rules>",
    "how long jobs that have ended are kept: a time, never, or by state and how many of the last: succeeded=7d,failed=90d,last=50 (30d,last=20, or FLOWERPOWER_QUEUE_KEEP)",
    keep,
  );
}

export function keepOf({ keep }: Pick<UpFlags, "keep">, { config }: Pick<Cli, "config">): Retention {
  return keep ?? config.keep ?? retentionDefaults;
}

export function slotsOf({ slots }: Pick<UpFlags, "slots">, { config }: Cli): number {
  return slots ?? config.slots ?? defaultSlots;
}

export function labelsOf({ label }: Pick<UpFlags, "label">, { config }: Cli): string[] {
  return labelSet(label.length > 0 ? label : config.labels) ?? [];
}

export function hostOf({ host }: Pick<UpFlags, "host">, { config }: Cli): string {
  return host ?? config.host ?? defaultHost;
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError("It has to be from 0 to 65535.");
  return Number(text);
}

function keep(text: string): Retention {
  const retention = readRetention(text);
  if (retention === null) throw new InvalidArgumentError(`It has to be ${retentionHint}.`);
  return retention;
}

function slots(text: string): number {
  const value = Number(text);
  const { least, most } = slotsRange;
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  }
  return value;
}

function lengthMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 30s or 5m.");
  return ms;
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

export function label(value: string, earlier: string[]): string[] {
  if (!labelPattern.test(value)) throw new InvalidArgumentError(`It cannot be used: ${labelRule}.`);
  return [...earlier, value];
}
