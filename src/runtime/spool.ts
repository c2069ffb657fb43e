import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LineReader } from "./lines.ts";

/** Bytes that wait for their reader in a file of no name, first in, first out. Gone with the process, however that ends. */
export class Spool {
  readonly #file: number;
  #read = 0;
  #written = 0;
  #reader = new LineReader(Number.POSITIVE_INFINITY);

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    const path = join(dir, `${randomUUID()}.spool`);
    this.#file = openSync(path, "wx+", 0o600);
    unlinkSync(path);
  }

  /** Bytes not yet read. */
  get bytes(): number {
    return this.#written - this.#read;
  }

  /**
   * Adds a line. Written in this moment and not behind our back: what waits to be written would be memory without a bound.
   * It costs a copy into the page cache, and happens only while the consumer is behind.
   */
  push(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, this.#written + done);
    }
    this.#written += bytes.length;
  }

  /** The next lines, about `bytes` of them; none when all were read. */
  shift(bytes = 256 * 1024): string[] {
    const lines: string[] = [];
    const chunk = Buffer.alloc(bytes);
    while (lines.length === 0 && this.bytes > 0) {
      const length = readSync(this.#file, chunk, 0, Math.min(bytes, this.bytes), this.#read);
      this.#read += length;
      lines.push(...this.#reader.push(Buffer.from(chunk.subarray(0, length))));
    }
    if (this.bytes === 0) this.#rewind();
    return lines;
  }

  close(): void {
    closeSync(this.#file);
  }

  #rewind(): void {
    if (this.#written > 0) ftruncateSync(this.#file);
    this.#read = 0;
    this.#written = 0;
  }
}
