import { printable, type Terminal } from "./terminal.ts";
import { duration } from "./units.ts";

/** What a process says while it starts: a line for each part that stands, with the time that it took. */
export interface StartLines {
  /** A part begins; what is returned says, once or more, what has become of it. */
  begin(part: string): (text: string) => void;
  /** Something else to know. Null: nothing. */
  note(text: string | null): void;
}

const partWidth = 13;
const oneLine = 100;

export function startLines({ out, paint, symbols }: Terminal): StartLines {
  return {
    begin(part) {
      const startedAt = performance.now();
      return (text) => {
        const took = duration(performance.now() - startedAt);
        const gap = " ".repeat(Math.max(2, oneLine - partWidth - text.length - took.length - 4));
        out(`  ${paint("green", symbols.ok)} ${part.padEnd(partWidth)} ${printable(text)}${gap}${paint("dim", took)}`);
      };
    },
    note(text) {
      if (text !== null) out(`    ${paint("dim", printable(text))}`);
    },
  };
}
