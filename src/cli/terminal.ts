import { styleText } from "node:util";
import stringWidth from "string-width";
import type { Config } from "./config.ts";

export type Paint = Parameters<typeof styleText>[0];

/** Where a command writes to, and what that can show. */
export interface Terminal {
  /** A line of what was asked for. */
  out(line: string): void;
  /** A line for the person: progress, errors. */
  err(line: string): void;
  paint(format: Paint, text: string): string;
  symbols: Symbols;
  /** Lines can be redrawn. */
  live: boolean;
  readonly columns: number;
  readonly rows: number;
  stdout: Output;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

export interface Symbols {
  ok: string;
  failed: string;
  stopped: string;
  reused: string;
  waiting: string;
  running: readonly string[];
  branch: string;
  last: string;
  full: string;
  empty: string;
  ellipsis: string;
  times: string;
  dot: string;
  arrow: string;
  thousands: string;
}

export const unicode: Symbols = {
  ok: "✓",
  failed: "✗",
  stopped: "–",
  reused: "↺",
  waiting: "·",
  running: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
  branch: "├",
  last: "└",
  full: "█",
  empty: "░",
  ellipsis: "…",
  times: "×",
  dot: "·",
  arrow: "→",
  thousands: "\u202f",
};

export const ascii: Symbols = {
  ok: "+",
  failed: "x",
  stopped: "-",
  reused: "=",
  waiting: ".",
  running: ["|", "/", "-", "\\"],
  branch: "|",
  last: "`",
  full: "#",
  empty: "-",
  ellipsis: "...",
  times: "x",
  dot: "-",
  arrow: "->",
  thousands: " ",
};

export function openTerminal(
  stdout: Output,
  stderr: Output,
  config: Pick<Config, "colour" | "unicode" | "dumb">,
): Terminal {
  const isTTY = stdout.isTTY === true;
  const colour = config.colour ?? isTTY;
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    paint: (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text),
    symbols: config.unicode ? unicode : ascii,
    live: isTTY && !config.dumb,
    get columns() {
      return Math.max(stdout.columns ?? 80, 40);
    },
    get rows() {
      return Math.max(stdout.rows ?? 24, 10);
    },
    stdout,
  };
}

/** A line of somebody else's text: without what would steer the terminal (escapes, cursor moves, direction marks). */
export function printable(text: string): string {
  return text.replace(/\r?\n/g, " ⏎ ").replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, " ");
}

/** A text of several lines, each made printable. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => printable(line.replaceAll("\t", "    ")));
}

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** How many columns a text takes: Chinese letters and most emoji take two. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** A text with spaces behind it, so that it takes so many columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

/** The beginning of a text that fits into so many columns. */
export function clip(text: string, columns: number, ellipsis: string): string {
  // Most texts are short: no unit of one takes more than two columns.
  if (text.length <= columns / 2 || widthOf(text) <= columns) return text;
  const mark = columns > ellipsis.length ? ellipsis : "";
  let shown = "";
  let room = columns - mark.length;
  for (const { segment } of letters.segment(text)) {
    room -= widthOf(segment);
    if (room < 0) break;
    shown += segment;
  }
  return shown + mark;
}
