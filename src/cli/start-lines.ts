import { clip, printable, type Terminal } from "./terminal.ts";
import { duration } from "./units.ts";

/** What a process says while it starts: a line for each part that stands, with the time that it took. */
export interface StartLines {
  /** A part begins; what is returned says, once or more, what has become of it. */
  begin(part: string): (text: string) => void;
  /** Something else to know. Null: nothing. */
  note(text: string | null): void;
}

const partWidth = 13;
/** Wider than this, the time would stand too far from what it belongs to. */
const widest = 100;
/** `12 of 70 packages: …`: a step of something long. */
const step = /^(\d+) of (\d+) /;

export function startLines({ out, paint, symbols, columns, live, stdout }: Terminal): StartLines {
  const oneLine = Math.min(columns, widest);
  let replaces = false;
  /** Where lines can be redrawn a step takes the place of the one before; elsewhere every tenth is told, and the last. */
  const line = (text: string, isStep: boolean) => {
    if (live && replaces) stdout.write("\u001b[1A\u001b[2K");
    replaces = isStep;
    out(text);
  };
  return {
    begin(part) {
      const startedAt = performance.now();
      return (text) => {
        const took = duration(performance.now() - startedAt);
        const gap = " ".repeat(Math.max(2, oneLine - partWidth - text.length - took.length - 5));
        line(
          `  ${paint("green", symbols.ok)} ${part.padEnd(partWidth)} ${printable(text)}${gap}${paint("dim", took)}`,
          false,
        );
      };
    },
    note(text) {
      if (text === null) return;
      const [, at, of] = step.exec(text) ?? [];
      if (at !== undefined && !live && Number(at) % 10 !== 0 && at !== of) return;
      const shown = printable(text);
      line(
        `    ${paint("dim", at === undefined ? shown : clip(shown, columns - 4, symbols.ellipsis))}`,
        at !== undefined,
      );
    },
  };
}
