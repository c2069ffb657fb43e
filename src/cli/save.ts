import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Artifact, Client } from "../client/client.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { bytes } from "./units.ts";

/** Downloads an artifact into a file. What has the file's name is whole, and what the run has made. */
export async function save(client: Client, artifact: Artifact, output: string, { err }: Terminal): Promise<void> {
  if (artifact.downloadUrl === null) {
    throw new UsageError(`${artifact.name} is not kept: ${artifact.omitted ?? "no reason is known"}.`);
  }
  const { body } = await client.download(artifact.id);
  const unfinished = `${output}.${process.pid}.part`;
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(body as never), hashing, createWriteStream(unfinished, { flags: "wx" }));
    const found = hash.digest("hex");
    if (artifact.sha256 !== null && found !== artifact.sha256) throw new Error("it is not what the run has made");
    await rename(unfinished, output);
  } catch (error) {
    await rm(unfinished, { force: true });
    err(`Can't save ${output}: ${error instanceof Error ? error.message : String(error)}`);
    throw new Exit(exitCodes.failed);
  }
  err(`${output}: ${artifact.mediaType}, ${bytes(artifact.bytes ?? 0)}`);
}
