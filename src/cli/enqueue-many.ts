import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Client, EnqueuedItem, EnqueueJobInput } from "../client/client.ts";
import { InvalidRunError, JobsRefusedError, QueueError, RequestError } from "../client/errors.ts";
import { type Cli, printJson } from "./cli.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import { counted } from "./units.ts";

/** So many lines are read before they are sent. */
const linesAtOnce = 1000;

/** A line of the file: a request, or why it is none. */
interface Line {
  number: number;
  request: EnqueueJobInput | QueueError;
}

/** What became of a line. */
type Reported = Omit<EnqueuedItem, "index"> & { line: number };

export interface FromFlags {
  from: string;
  onError: "REJECT_ALL" | "REJECT_FAILED";
  json?: boolean | undefined;
}

/**
 * Enqueues a request for each line of a file, JSON as of `EnqueueJobInput`, what a line leaves out taken from `defaults`. Tells
 * of each line what became of it, and ends with 0 when all have a job.
 */
export async function enqueueFrom(
  client: Client,
  defaults: Partial<EnqueueJobInput>,
  { from, onError, json }: FromFlags,
  cli: Cli,
): Promise<void> {
  const all: Reported[] = [];
  const tell = (items: Reported[]) => {
    all.push(...items);
    if (!json) for (const item of items) tellOf(item, cli);
  };
  const lines = linesOf(from, defaults, cli);
  if (onError === "REJECT_ALL") tell(await allOrNone(client, await everyOf(lines)));
  else for await (const some of chunks(lines)) tell(await goodOnes(client, some));
  const refused = all.filter(({ error }) => error !== null).length;
  if (json) printJson(cli.terminal, all.map(shown));
  else cli.terminal.err(`${counted(all.length - refused, "job")} accepted, ${refused} refused`);
  if (refused > 0) throw new Exit(exitCodes.usage);
}

async function* linesOf(from: string, defaults: Partial<EnqueueJobInput>, cli: Cli): AsyncGenerator<Line> {
  const input = from === "-" ? process.stdin : createReadStream(resolve(cli.cwd, from), "utf8");
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (text.trim() !== "") yield { number, request: requestOfLine(text, defaults) };
    }
  } catch (error) {
    throw new UsageError(`--from ${from} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

function requestOfLine(text: string, defaults: Partial<EnqueueJobInput>): EnqueueJobInput | QueueError {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return new RequestError(`It is no JSON: ${(error as Error).message}`, "BAD_USER_INPUT");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new RequestError('It is no JSON object like {"pipeline": "flights/daily_report"}.', "BAD_USER_INPUT");
  }
  const request = { ...defaults, ...value } as Partial<EnqueueJobInput>;
  if (request.pipeline !== undefined) return request as EnqueueJobInput;
  return new RequestError("It names no pipeline, and neither does the command.", "BAD_USER_INPUT");
}

async function everyOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

async function* chunks<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let some: T[] = [];
  for await (const item of items) {
    some.push(item);
    if (some.length === linesAtOnce) {
      yield some;
      some = [];
    }
  }
  if (some.length > 0) yield some;
}

/** Of the lines that are no requests, or that the API refuses, none is made and each is told. */
async function allOrNone(client: Client, lines: Line[]): Promise<Reported[]> {
  const broken = lines.filter(({ request }) => request instanceof QueueError);
  if (broken.length > 0) return broken.map((line) => refusedLine(line.number, line.request as QueueError));
  try {
    const items = await client.enqueueMany(lines.map(({ request }) => request as EnqueueJobInput));
    return items.map((item) => reported(item, lines));
  } catch (error) {
    if (!(error instanceof JobsRefusedError)) throw error;
    return error.refused.map((refused) => refusedLine(lines[refused.index]?.number ?? 0, refused.error));
  }
}

async function goodOnes(client: Client, lines: Line[]): Promise<Reported[]> {
  const good = lines.filter(({ request }) => !(request instanceof QueueError));
  const items = await client.enqueueMany(
    good.map(({ request }) => request as EnqueueJobInput),
    { onError: "REJECT_FAILED" },
  );
  return [
    ...items.map((item) => reported(item, good)),
    ...lines.flatMap(({ number, request }) => (request instanceof QueueError ? [refusedLine(number, request)] : [])),
  ].toSorted((one, other) => one.line - other.line);
}

function reported({ index, ...item }: EnqueuedItem, lines: readonly Line[]): Reported {
  return { ...item, line: lines[index]?.number ?? 0 };
}

function refusedLine(line: number, error: QueueError): Reported {
  return { line, job: null, replayed: false, error };
}

function tellOf({ line, job, replayed, error }: Reported, { terminal }: Cli): void {
  const { symbols } = terminal;
  if (error !== null) terminal.err(`${symbols.failed} line ${line}: ${reasonOf(error)}`);
  else if (job === null) terminal.out(`line ${line}: its job has been removed since`);
  else {
    const what = replayed ? "was enqueued before with this key" : "accepted";
    terminal.out(`${symbols.arrow} ${job.id} ${what}: ${job.project}/${job.pipeline}, ${job.state.toLowerCase()}`);
  }
}

function reasonOf(error: QueueError): string {
  return error instanceof InvalidRunError ? error.problems.map(({ message }) => message).join(" ") : error.message;
}

function shown({ line, job, replayed, error }: Reported) {
  const told = error === null ? null : { code: error.code, message: reasonOf(error), path: error.path };
  return { line, job, replayed, error: told };
}
