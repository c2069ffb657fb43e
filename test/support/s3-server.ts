import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface S3Server extends AsyncDisposable {
  /** What AWS's own libraries read: where it is, and any credentials. */
  env: Record<string, string>;
  /** By `bucket/key`. */
  objects: Map<string, Buffer>;
  /** `PUT bucket/key`, in order. */
  requests: string[];
  /** Answers nothing but errors from here on. */
  fail(): void;
}

/**
 * As much of S3 as s3fs asks for: put (also only when there is none), copy, get with ranges, head, list by folders, delete.
 * Path-style addresses, no signatures checked, nothing in parts.
 */
export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  let failing = false;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://s3");
    const key = decodeURIComponent(url.pathname.slice(1));
    const body = await bodyOf(request);
    requests.push(`${request.method} ${key}`);
    if (failing) return void refuse(response, 403, "AccessDenied");
    if (url.searchParams.has("list-type"))
      return void list(objects, key.replace(/\/$/, ""), url.searchParams, response);
    if (request.method === "POST" && url.searchParams.has("delete")) {
      for (const [, name] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) {
        objects.delete(`${key.replace(/\/$/, "")}/${name}`);
      }
      return void xml(response, "<DeleteResult/>");
    }
    one(objects, key, body, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
      AWS_MAX_ATTEMPTS: "1",
    },
    objects,
    requests,
    fail: () => {
      failing = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function one(
  objects: Map<string, Buffer>,
  key: string,
  body: Buffer,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  if (method === "PUT") {
    const source = headers["x-amz-copy-source"];
    if (source !== undefined) {
      const copied = objects.get(decodeURIComponent(String(source)).replace(/^\//, "").split("?")[0] ?? "");
      if (copied === undefined) return void refuse(response, 404, "NoSuchKey");
      objects.set(key, copied);
      return void xml(response, '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>');
    }
    if (headers["if-none-match"] === "*" && objects.has(key)) return void refuse(response, 412, "PreconditionFailed");
    objects.set(key, body);
    response.writeHead(200, { etag: '"e"' }).end();
    return;
  }
  if (method === "DELETE") {
    objects.delete(key);
    response.writeHead(204).end();
    return;
  }
  const found = objects.get(key);
  if (found === undefined) return void refuse(response, 404, "NoSuchKey");
  const [, start = "", end = ""] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? "") ?? [];
  const part = start === "" ? found : found.subarray(Number(start), end === "" ? undefined : Number(end) + 1);
  response.writeHead(start === "" ? 200 : 206, {
    "content-length": part.length,
    "last-modified": new Date().toUTCString(),
    etag: '"e"',
    ...(start !== "" && { "content-range": `bytes ${start}-${Number(start) + part.length - 1}/${found.length}` }),
  });
  response.end(method === "HEAD" ? undefined : part);
}

function list(
  objects: Map<string, Buffer>,
  bucket: string,
  parameters: URLSearchParams,
  response: ServerResponse,
): void {
  const prefix = parameters.get("prefix") ?? "";
  const delimiter = parameters.get("delimiter") || null;
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(`${bucket}/`))
    .map((key) => key.slice(bucket.length + 1));
  const matching = keys.filter((key) => key.startsWith(prefix)).toSorted();
  const folders = new Set<string>();
  const files = matching.filter((key) => {
    const end = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
    if (end === -1) return true;
    folders.add(key.slice(0, end + 1));
    return false;
  });
  const contents = files.map((key) => {
    const size = objects.get(`${bucket}/${key}`)?.length ?? 0;
    return `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>2026-11-23T00:00:00.000Z</LastModified><ETag>"e"</ETag></Contents>`;
  });
  const prefixes = [...folders].map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`);
  xml(
    response,
    `<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>${files.length + folders.size}</KeyCount>${contents.join("")}${prefixes.join("")}</ListBucketResult>`,
  );
}

function refuse(response: ServerResponse, status: number, code: string): void {
  xml(response, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`, status);
}

function xml(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
