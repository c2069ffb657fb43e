import type { EventEmitter } from "node:events";
import type { Command } from "commander";
import type { Config } from "./config.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given: nothing of it is global, so that tests give their own. */
export interface Cli {
  config: Config;
  terminal: Terminal;
  cwd: string;
  /** Where SIGINT and SIGTERM are heard: the process. */
  signals: Pick<EventEmitter, "on" | "off">;
  /** Asks the person at the terminal a question of yes or no; absent where there is nobody. */
  ask?: ((question: string) => Promise<boolean>) | undefined;
}

/** Flags that every command takes, before or after its name. */
export interface GlobalOptions {
  json?: boolean;
  url?: string;
}

export function globalOptions(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** For programs: indented, times in UTC as the API gives them. */
export function printJson({ out }: Pick<Terminal, "out">, value: unknown): void {
  out(JSON.stringify(value, null, 2));
}
