import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ArtifactStore } from "../artifacts/store.ts";
import type { Database } from "../db/client.ts";
import { DomainError, NotFoundError } from "../domain/errors.ts";
import { idText, uuidOf } from "../domain/ids.ts";
import { ForbiddenError } from "../schema/edge-errors.ts";
import { type ByteRange, rangeOf } from "./byte-range.ts";
import type { Identity } from "./identity.ts";

/** It was there, or could have been; asking again is of no use. */
export class ArtifactGoneError extends DomainError {
  readonly code = "GONE";
}

/** The bytes are in a store that this server does not read. */
export class OtherStoreError extends DomainError {
  readonly code = "STORE_UNREACHABLE";

  constructor(theirs: string | null, ours: string | null) {
    super(
      `Artifacts are kept in ${theirs ?? "another artifact store"}, and this server reads ${ours ?? "none"}. ` +
        "Start the server with the store that the workers use: --artifacts URL.",
    );
  }
}

/** The range that was asked for lies behind the end. */
export class RangeBehindEndError extends DomainError {
  readonly code = "RANGE_NOT_SATISFIABLE";
}

interface Row {
  id: string;
  jobId: string;
  attempt: number;
  name: string;
  kind: "result" | "file" | "log";
  mediaType: string;
  uri: string | null;
  store: string | null;
  storeUrl: string | null;
  bytes: number;
  sha256: string;
  hasValue: boolean;
  text: string | null;
  omitted: string | null;
  expired: boolean;
}

/** Something to hand out, and where its bytes come from. */
interface Download {
  row: Row;
  read(range: ByteRange): Promise<AsyncIterable<Uint8Array>>;
}

/** Answers a GET or HEAD of `/artifacts/<id>`. Errors are thrown, before anything is sent. */
export function makeDownloads({ db, store }: { db: Database; store: ArtifactStore | null }) {
  return async (request: IncomingMessage, response: ServerResponse, identity: Identity, id: string): Promise<void> => {
    if (!identity.scopes.has("payloads")) throw new ForbiddenError("artifacts");
    const row = await find(db, id);
    const download = { row, read: await readerOf(row, store) };
    await send(request, response, download);
  };
}

async function find({ sql }: Database, id: string): Promise<Row> {
  const uuid = uuidOf("artifact", id);
  const [row] =
    uuid === null
      ? []
      : await sql<Row[]>`
    select a.id, a.job_id as "jobId", a.attempt, a.name, a.kind, a.media_type as "mediaType", a.uri, a.store,
      s.url as "storeUrl", a.bytes::float8 as bytes, a.sha256, a.has_value as "hasValue", a.omitted,
      case when a.has_value then coalesce(a.value::text, 'null') end as text,
      (a.removed_at is not null or a.expires_at < queue_now()) is true as expired
    from artifacts a left join artifact_stores s on s.id = a.store where a.id = ${uuid}`;
  if (row === undefined) throw new NotFoundError("artifact", JSON.stringify(id.slice(0, 80)), null);
  if (row.expired) throw new ArtifactGoneError(`The artifact ${id} was removed: its time to live is over.`);
  if (!row.hasValue && row.uri === null) {
    throw new ArtifactGoneError(`The artifact ${id} has no bytes: ${row.omitted ?? "it was not kept"}.`);
  }
  // Of a worker of before artifacts had files: nobody has counted.
  if (row.text !== null && row.sha256 === null) return { ...row, ...measured(row.text) };
  return row;
}

function measured(text: string): Pick<Row, "mediaType" | "bytes" | "sha256"> {
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { mediaType: "application/json", bytes: Buffer.byteLength(text), sha256 };
}

async function readerOf(
  { uri, text, store: id, storeUrl }: Row,
  store: ArtifactStore | null,
): Promise<Download["read"]> {
  if (uri === null) {
    const bytes = Buffer.from(text ?? "");
    return async ({ start, end }) => Readable.from([bytes.subarray(start, end)]);
  }
  if (store === null || (await store.id()) !== id) {
    throw new OtherStoreError(storeUrl, store?.url ?? null);
  }
  return (range) => store.read(uri, range.start, range.end);
}

async function send(request: IncomingMessage, response: ServerResponse, { row, read }: Download): Promise<void> {
  const etag = `"${row.sha256}"`;
  for (const [name, value] of Object.entries(headersOf(row, etag))) response.setHeader(name, value);
  if (isKnown(request.headers["if-none-match"], etag)) {
    response.writeHead(304).end();
    return;
  }
  const range = wantedRange(request, row.bytes, etag);
  if (range === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${row.bytes}`);
    throw new RangeBehindEndError(`There are ${row.bytes} bytes, and the range begins behind them.`);
  }
  const { start, end } = range ?? { start: 0, end: row.bytes };
  // Opened before the headers are sent: a file that is gone is an error that can be told.
  const bytes = request.method === "HEAD" ? null : await read({ start, end });
  if (range !== null) response.setHeader("content-range", `bytes ${start}-${end - 1}/${row.bytes}`);
  response.writeHead(range === null ? 200 : 206, { "content-type": row.mediaType, "content-length": end - start });
  if (bytes === null) response.end();
  else await pass(bytes, response);
}

/** A caller who leaves in the middle is no error; a store that fails then breaks the answer off, short of its length. */
async function pass(bytes: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  try {
    await pipeline(bytes, response);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE")) throw error;
  }
}

function headersOf(row: Row, etag: string): Record<string, string> {
  return {
    etag,
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-disposition": attachment(fileName(row)),
    // It is data of a pipeline: no browser shows it as a page of ours, or embeds it in another's.
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
  };
}

/** A part only of what the caller has begun to read: else all of it, as it is now. */
function wantedRange({ method, headers }: IncomingMessage, bytes: number, etag: string) {
  const condition = headers["if-range"];
  if (method !== "GET" || (condition !== undefined && condition !== etag)) return null;
  return rangeOf(headers.range, bytes);
}

function isKnown(header: string | undefined, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

function fileName({ kind, name, uri, jobId, attempt }: Row): string {
  if (kind === "log") return `${idText("job", jobId)}-${attempt}.log.gz`;
  if (kind === "file") return name.split("/").at(-1) ?? name;
  return `${name}.${uri === null ? "json" : uri.split(".").at(-1)}`;
}

/** RFC 6266: a name in plain letters for everybody, and the true one for who can read it. */
function attachment(name: string): string {
  const plain = name
    .replace(/[^\w.-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(-150);
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain || "artifact"}"; filename*=UTF-8''${exact}`;
}
