/** More than a message may ever need: the description of a pipeline of thousands of nodes, or a hundred inline results. */
export const maxLineBytes = 32 * 1024 * 1024;

/** A line that would not end: whoever writes it does not speak the protocol. */
export class LineTooLongError extends Error {
  constructor(limit: number) {
    super(`a line is longer than ${limit} bytes`);
    this.name = "LineTooLongError";
  }
}

/** Cuts a stream of bytes into lines of UTF-8, holding at most one unfinished line. */
export class LineReader {
  #unfinished: Buffer[] = [];
  #bytes = 0;
  readonly #limit: number;

  constructor(limit = maxLineBytes) {
    this.#limit = limit;
  }

  /** The lines that end in this chunk. Throws when one is too long: nothing after that can be trusted. */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      yield this.#take();
    }
    this.#keep(chunk.subarray(start));
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#limit) throw new LineTooLongError(this.#limit);
    // Joined only when the line ends: joining with each chunk would be quadratic for a long line.
    if (part.length > 0) this.#unfinished.push(part);
  }

  #take(): string {
    const [only] = this.#unfinished;
    const line = this.#unfinished.length === 1 && only !== undefined ? only : Buffer.concat(this.#unfinished);
    this.#unfinished = [];
    this.#bytes = 0;
    return line.toString("utf8");
  }
}
