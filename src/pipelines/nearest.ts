import { distance } from "fastest-levenshtein";

/** Names longer than this were not meant as one of ours, and comparing them would cost more than it tells. */
const longestName = 200;

/** The name that was probably meant: the nearest one when it is near enough, case aside, else null. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  if (name.length > longestName) return null;
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const away = distance(wanted, candidate.toLowerCase());
    // What shares no letter's place with it is no slip of the finger, however short both are.
    if (away < bestDistance && away < Math.max(name.length, candidate.length)) {
      best = candidate;
      bestDistance = away;
    }
  }
  return best;
}

/** `a`, `a and b`, `a, b and 4 more`: names for a sentence. */
export function listNames(names: readonly string[], limit = 8): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, limit);
  if (names.length > limit) return `${shown.join(", ")} and ${names.length - limit} more`;
  return shown.length === 1 ? `${shown[0]}` : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
