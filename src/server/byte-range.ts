/** A part of something: from `start` up to before `end`. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * What a Range header asks for of so many bytes (RFC 9110, 14.2). Null: all of it, also when the header cannot be read or asks
 * for several parts at once, which a server may ignore. `unsatisfiable`: nothing of what is there.
 */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | "unsatisfiable" | null {
  const [, first = "", last = ""] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? "unsatisfiable" : { start: bytes - length, end: bytes };
  }
  const start = Number(first);
  const end = last === "" ? bytes : Math.min(Number(last) + 1, bytes);
  if (last !== "" && Number(last) < start) return null;
  return start >= bytes ? "unsatisfiable" : { start, end };
}
