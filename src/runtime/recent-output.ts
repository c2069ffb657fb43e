import type { Readable } from "node:stream";

/** The last of what a process wrote to its standard streams: it is always read, and most of it is forgotten. */
export class RecentOutput {
  #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #limit: number;

  constructor(limit = 16 * 1024) {
    this.#limit = limit;
  }

  read(stream: Readable): void {
    stream.on("data", (chunk: Buffer) => this.#add(chunk));
    stream.on("error", () => {}); // its end is told by the process's exit
  }

  /** At most `count` whole lines, null when nothing was written. */
  lastLines(count = 40): string | null {
    const text = Buffer.concat(this.#chunks).subarray(-this.#limit).toString("utf8").trimEnd();
    return text === "" ? null : text.split("\n").slice(-count).join("\n");
  }

  #add(chunk: Buffer): void {
    // A copy: a slice would keep the stream's whole buffer alive.
    this.#chunks.push(Buffer.from(chunk.subarray(-this.#limit)));
    this.#bytes += Math.min(chunk.length, this.#limit);
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= this.#limit) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
    }
  }
}
