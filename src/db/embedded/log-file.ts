import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { DataFolderUnusableError } from "./errors.ts";

const maxBytes = 5_000_000;
const usual = /^LOG:\s+(starting PostgreSQL|listening on|database system (is|was) shut down)/;

/** What Postgres has to say, in `postgres.log`: at most twice `maxBytes`, the older half in `postgres.log.1`. */
export class LogFile {
  readonly path: string;
  readonly fd: number;
  #from: number;

  constructor(folder: string) {
    this.path = join(folder, "postgres.log");
    try {
      this.fd = openSync(this.path, "a", 0o600);
    } catch (error) {
      throw new DataFolderUnusableError(folder, error);
    }
    this.bound();
    this.#from = statSync(this.path).size;
  }

  /** Written by others through the descriptor, in append mode: so it can be cut under their hands. */
  bound(): void {
    if (statSync(this.path).size <= maxBytes) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
    this.#from = 0;
  }

  /** From here on is what `lastWords()` looks at. */
  mark(): void {
    this.#from = statSync(this.path).size;
  }

  since(): string {
    return readFileSync(this.path).subarray(this.#from).toString("utf8");
  }

  /** The last lines since the mark, without what Postgres always says; on one line. */
  lastWords(): string {
    const lines = this.since()
      .split("\n")
      .map((line) => line.replace(/^\S+ \S+ UTC \[\d+\] /, "").trim())
      .filter((line) => line !== "" && !usual.test(line));
    return lines.slice(-3).join(" | ");
  }

  close(): void {
    closeSync(this.fd);
  }
}
