import type { Log } from "../server/log.ts";
import type { WorkLog } from "./parts.ts";
import { printable, type Terminal } from "./terminal.ts";
import { clock } from "./units.ts";

/** The server's log for a person in front of a terminal: what went wrong, a line each. */
export function serverLog({ err, paint }: Terminal): Log {
  return (level, message, fields = {}) => {
    if (level !== "info") err(paint("yellow", line(message, fields)));
  };
}

/** The worker's log for a person: what went wrong, and projects that have changed. */
export function workLog({ err, paint }: Terminal): WorkLog {
  return (message, data) => {
    if (data.error != null) err(paint("yellow", line(message, data)));
  };
}

function line(message: string, fields: Record<string, unknown>): string {
  const { stack, ...rest } = fields;
  const said = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const where = typeof stack === "string" ? `\n${stack}` : "";
  return `${clock(new Date())}  ${printable([message, ...said].join(", "))}${where}`;
}
