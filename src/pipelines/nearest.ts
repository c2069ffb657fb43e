import { distance } from "fastest-levenshtein";

/** Names longer than this were not meant as one of ours, and comparing them would cost more than it tells. */
const longestName = 200;

/** The name that was probably meant: the nearest one when it is near enough, case aside, else null. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  if (name.length > longestName) return null;
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(name.length / 2.5)) + 1;
  for (const candidate of candidates) {
    const away = slips(wanted, candidate.toLowerCase());
    // One slip in a single letter is another letter.
    if (away < bestDistance && away < Math.max(name.length, candidate.length)) {
      best = candidate;
      bestDistance = away;
    }
  }
  return best;
}

/** Letters to change, or 1 for a name that was cut short, `temp` for `temperature`, or has two letters swapped. */
function slips(wanted: string, candidate: string): number {
  if (wanted === candidate) return 0;
  if (isSwapped(wanted, candidate)) return 1;
  return wanted.length >= 3 && candidate.startsWith(wanted) ? 1 : distance(wanted, candidate);
}

function isSwapped(wanted: string, candidate: string): boolean {
  if (wanted.length !== candidate.length) return false;
  let at = 0;
  while (wanted[at] === candidate[at]) at += 1;
  const swapped = `${wanted.slice(0, at)}${wanted[at + 1] ?? ""}${wanted[at] ?? ""}${wanted.slice(at + 2)}`;
  return swapped === candidate;
}

/** `a`, `a and b`, `a, b and 4 more`: names for a sentence. */
export function listNames(names: readonly string[], { limit = 8, last = "and" } = {}): string {
  if (names.length === 0) return "none";
  if (names.length > limit) return `${names.slice(0, limit).join(", ")} and ${names.length - limit} more`;
  return [names.slice(0, -1).join(", "), names.at(-1)].filter((part) => part !== "").join(` ${last} `);
}
