import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

const maxBytes = 5_000_000;

/** What Postgres has to say, in `postgres.log`: at most twice `maxBytes`, the older half in `postgres.log.1`. */
export class LogFile {
  readonly path: string;
  readonly fd: number;
  #from: number;

  constructor(folder: string) {
    this.path = join(folder, "postgres.log");
    this.fd = openSync(this.path, "a", 0o600);
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

  /** The last lines since the mark that say something is wrong, else simply the last ones; on one line. */
  lastWords(): string {
    const lines = this.since()
      .split("\n")
      .filter((line) => line.trim() !== "");
    const bad = lines.filter((line) => /\b(FATAL|PANIC|ERROR|error|could not)\b/.test(line));
    return (bad.length > 0 ? bad : lines)
      .slice(-3)
      .map((line) => line.trim())
      .join(" | ");
  }

  close(): void {
    closeSync(this.fd);
  }
}
