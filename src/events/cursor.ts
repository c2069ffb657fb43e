import { BadCursorError } from "../domain/errors.ts";

/** Where a reader of the feed stands: after everything that comes before or at this transaction and event. */
export interface FeedPosition {
  xid: bigint;
  id: bigint;
}

/** A position in a feed of a certain epoch: a restored database counts its transactions anew. */
export interface FeedCursor extends FeedPosition {
  epoch: string;
}

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const feedPattern = new RegExp(`^f1:(${uuid}):(0|[1-9]\\d{0,19}):(0|[1-9]\\d{0,18})$`);
const batchPattern = new RegExp(`^b1:(${uuid}):(0|[1-9]\\d{0,9})$`);
const jobPattern = new RegExp(`^j1:(${uuid}):(0|[1-9]\\d{0,9})$`);
/** What the columns can hold: beyond it, Postgres would refuse the parameter. */
const largest = { xid: 2n ** 64n - 1n, id: 2n ** 63n - 1n, seq: 2 ** 31 - 1 };
const longestCursor = 128;

/** The text by which a client resumes the feed of all jobs. */
export function feedCursor(epoch: string, { xid, id }: FeedPosition): string {
  return encode(`f1:${epoch}:${xid}:${id}`);
}

/** Reads a cursor of the feed. Throws BadCursorError for anything that feedCursor() did not make. */
export function parseFeedCursor(text: string): FeedCursor {
  const plain = decode(text);
  const [, epoch, xid, id] = feedPattern.exec(plain) ?? [];
  if (epoch === undefined || xid === undefined || id === undefined) {
    if (jobPattern.test(plain)) throw badCursor("This cursor belongs to the events of one job, not to the feed.");
    if (batchPattern.test(plain)) throw badCursor("This cursor belongs to the events of one batch, not to the feed.");
    throw badCursor();
  }
  const cursor = { epoch, xid: BigInt(xid), id: BigInt(id) };
  if (cursor.xid > largest.xid || cursor.id > largest.id) throw badCursor();
  return cursor;
}

/** The text by which a client resumes the events of a job. */
export function jobCursor({ jobId, seq }: { jobId: string; seq: number }): string {
  return encode(`j1:${jobId}:${seq}`);
}

/** The number of the event after which to go on. Throws BadCursorError also for a cursor of another job. */
export function parseJobCursor(text: string, jobId: string): number {
  return parseNumber(text, "job", jobPattern, jobId);
}

/** The text by which a client resumes the events of a batch. */
export function batchCursor({ batchId, seq }: { batchId: string; seq: number }): string {
  return encode(`b1:${batchId}:${seq}`);
}

/** The number of the event after which to go on. Throws BadCursorError also for a cursor of another batch. */
export function parseBatchCursor(text: string, batchId: string): number {
  return parseNumber(text, "batch", batchPattern, batchId);
}

function parseNumber(text: string, what: string, pattern: RegExp, id: string): number {
  const plain = decode(text);
  const [, named, seq] = pattern.exec(plain) ?? [];
  if (named === undefined || seq === undefined) {
    if (feedPattern.test(plain)) throw badCursor(`This cursor belongs to the feed, not to the events of a ${what}.`);
    throw badCursor();
  }
  if (named !== id) throw badCursor(`This cursor belongs to another ${what}.`);
  if (Number(seq) > largest.seq) throw badCursor();
  return Number(seq);
}

/** Below 0 when `a` comes first. */
export function comparePositions(a: FeedPosition, b: FeedPosition): number {
  if (a.xid !== b.xid) return a.xid < b.xid ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

export function badCursor(message = "This is no cursor of ours."): BadCursorError {
  return new BadCursorError(`${message} Use one as it was given out, or none.`, "after");
}

function encode(plain: string): string {
  return Buffer.from(plain).toString("base64url");
}

function decode(text: string): string {
  if (text.length > longestCursor) return "";
  const plain = Buffer.from(text, "base64url").toString();
  // Node skips what is not base64; two texts for one cursor would be one too many.
  return encode(plain) === text ? plain : "";
}
