import { z } from "zod";
import { labelPattern } from "../domain/lanes.ts";
import { parseRetention, type Retention } from "../domain/retention.ts";
import { UsageError } from "./failure.ts";
import { parseDurationMs } from "./units.ts";

/** What the environment says. Flags win over it. */
export interface Config {
  /** A Postgres of the user's; null: ours, in the data folder. */
  databaseUrl: string | null;
  /** Where the CLI finds the API; null: the server that runs on the data folder, else the usual port. */
  url: string | null;
  host: string | null;
  port: number | null;
  slots: number | null;
  /** Of the worker. */
  labels: string[];
  /** The data folder. */
  data: string | null;
  /** Where artifacts are kept; null: in the data folder. */
  artifacts: string | null;
  /** The Python by which a server without projects reads a store that is no folder; null: the one around. */
  artifactsPython: string | null;
  /** For hashing values from the environment, in hexadecimal: to be set where workers on several machines share a queue. */
  hashKey: string | null;
  /** How long jobs that have ended are kept; null: by default. */
  keep: Retention | null;
  /** Null: where it goes to a terminal. */
  colour: boolean | null;
  /** Whether the terminal shows more than ASCII. */
  unicode: boolean;
  /** A terminal on which lines cannot be redrawn. */
  dumb: boolean;
  /** All of it, for what is started from here. */
  env: Readonly<Record<string, string | undefined>>;
}

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, `a whole number from ${least} to ${most} is needed`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `a whole number from ${least} to ${most} is needed`);

const url = (protocols: readonly string[], example: string) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ""), `a URL like ${example} is needed`);

/** What `--keep` and its variable take. */
export const retentionHint = "a time from 1m like 30d, never, or parts like succeeded=7d,failed=never,last=50";

export function readRetention(text: string): Retention | null {
  return parseRetention(text, parseDurationMs);
}

export const slotsRange = { least: 1, most: 512 } as const;

/** Each variable that we read, and what it has to look like. Empty counts as not set. */
const variables = {
  DATABASE_URL: url(["postgres:", "postgresql:"], "postgres://user@host:5432/name"),
  FLOWERPOWER_QUEUE_URL: url(["http:", "https:"], "http://127.0.0.1:4000/graphql"),
  FLOWERPOWER_QUEUE_HOST: z.string(),
  FLOWERPOWER_QUEUE_PORT: wholeNumber(1, 65_535),
  FLOWERPOWER_QUEUE_SLOTS: wholeNumber(slotsRange.least, slotsRange.most),
  FLOWERPOWER_QUEUE_LABELS: z
    .string()
    .transform((text) => text.split(",").map((label) => label.trim()))
    .refine((labels) => labels.every((label) => labelPattern.test(label)), "labels like gpu,region=eu are needed"),
  FLOWERPOWER_QUEUE_DATA: z.string(),
  FLOWERPOWER_QUEUE_ARTIFACTS: z.string(),
  FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON: z.string(),
  FLOWERPOWER_QUEUE_HASH_KEY: z
    .string()
    .regex(/^[0-9a-f]{64,}$/, "at least 64 hexadecimal digits are needed, as of: openssl rand -hex 32"),
  FLOWERPOWER_QUEUE_KEEP: z.string().transform((text, context) => {
    const retention = readRetention(text);
    if (retention !== null) return retention;
    context.addIssue({ code: "custom", message: `${retentionHint} is needed` });
    return z.NEVER;
  }),
} as const;

/** The only reader of the environment. Throws one UsageError that names everything that is wrong, without the values. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(Object.keys(variables).map((name) => [name, env[name] || undefined]));
  const read = z.object(variables).partial().safeParse(given);
  if (!read.success) {
    const lines = read.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new UsageError(`The environment cannot be used:\n${lines.join("\n")}`);
  }
  return {
    databaseUrl: read.data.DATABASE_URL ?? null,
    url: read.data.FLOWERPOWER_QUEUE_URL ?? null,
    host: read.data.FLOWERPOWER_QUEUE_HOST ?? null,
    port: read.data.FLOWERPOWER_QUEUE_PORT ?? null,
    slots: read.data.FLOWERPOWER_QUEUE_SLOTS ?? null,
    labels: read.data.FLOWERPOWER_QUEUE_LABELS ?? [],
    data: read.data.FLOWERPOWER_QUEUE_DATA ?? null,
    artifacts: read.data.FLOWERPOWER_QUEUE_ARTIFACTS ?? null,
    artifactsPython: read.data.FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON ?? null,
    hashKey: read.data.FLOWERPOWER_QUEUE_HASH_KEY ?? null,
    keep: read.data.FLOWERPOWER_QUEUE_KEEP ?? null,
    colour: colourOf(env),
    unicode: showsUnicode(env),
    dumb: env.TERM === "dumb",
    env,
  };
}

/** https://no-color.org: any value that is not empty. */
function colourOf(env: Readonly<Record<string, string | undefined>>): boolean | null {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return env.TERM === "dumb" ? false : null;
}

/** What the locale says; where it says nothing, all but the Linux console. */
function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  if (locale !== "") return /utf-?8/i.test(locale);
  return env.TERM !== "linux" && env.TERM !== "dumb";
}
