import { printable } from "./terminal.ts";

/** Who has asked a worker to stop through the API, and why. */
export function stopAskedLine({ by, reason }: { by: string | null; reason: string | null }): string {
  const because = reason === null ? "" : `: ${reason}`;
  return printable(`${by ?? "Somebody"} has asked this worker to stop${because}`);
}
