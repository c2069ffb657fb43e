/** One line of the server's own log: what happened, and what is known about it. */
export type Log = (level: "info" | "warning" | "error", message: string, fields?: Record<string, unknown>) => void;

/** Lines of JSON: whatever a text holds, it stays on its line. */
export function jsonLines(write: (line: string) => void): Log {
  return (level, message, fields = {}) => {
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
  };
}
