/** What an answer can be. Where a client has no preference, the first that it takes. */
export const mediaTypes = ["application/json", "application/graphql-response+json", "text/event-stream"] as const;
export type MediaType = (typeof mediaTypes)[number];

/** What a client takes, by its Accept header (RFC 9110, 12.5.1). */
export interface Acceptance {
  /** For a single result. */
  mediaType: MediaType;
  /** It asks for `application/json` by name: a client from before `application/graphql-response+json`. */
  legacy: boolean;
  /** It takes event streams, which subscriptions need. */
  streams: boolean;
}

/** What to answer a client with; null when it takes nothing that we have. Without a header it takes anything. */
export function acceptanceOf(header: string | undefined): Acceptance | null {
  const ranges = rangesOf(header);
  const mediaType = preferred(ranges, mediaTypes);
  if (mediaType === null) return null;
  return {
    mediaType,
    legacy: mediaType === "application/json" && matching(ranges, mediaType)?.name === mediaType,
    streams: isTaken(matching(ranges, "text/event-stream")),
  };
}

/** Whether a page is wanted rather than data: a browser that opens the address. */
export function prefersPage(header: string | undefined): boolean {
  return preferred(rangesOf(header), [...mediaTypes, "text/html"]) === "text/html";
}

interface MediaRange {
  /** `application/json`, `text/*` or `*` + `/*`. */
  name: string;
  quality: number;
  /** Its place in the header, which decides between equals. */
  place: number;
}

function rangesOf(header: string | undefined): MediaRange[] {
  if (header === undefined || header.trim() === "") return [{ name: "*/*", quality: 1, place: 0 }];
  return header.split(",").flatMap((text, place) => {
    const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
    const parameter = (key: string) => parameters.find((text) => text.startsWith(`${key}=`))?.split("=", 2)[1];
    const encoding = parameter("charset")?.replaceAll('"', "") ?? "utf-8";
    // Everything is answered in UTF-8.
    return encoding === "utf-8" ? [{ name, quality: qualityOf(parameter("q")), place }] : [];
  });
}

/** A weight that is none counts as none: the client has named the type. */
function qualityOf(text: string | undefined): number {
  return text !== undefined && /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}

function preferred<T extends string>(ranges: MediaRange[], offers: readonly T[]): T | null {
  const taken = offers.flatMap((offer) => {
    const range = matching(ranges, offer);
    return isTaken(range) ? [{ offer, range }] : [];
  });
  // Sorting is stable: between equals the server's order stays.
  taken.sort(({ range: a }, { range: b }) => b.quality - a.quality || a.place - b.place);
  return taken[0]?.offer ?? null;
}

/** The most specific range that a type fits: it overrides the others. */
function matching(ranges: MediaRange[], type: string): MediaRange | null {
  const wildcard = `${type.split("/", 1)[0]}/*`;
  // Who takes anything has not asked for a stream or a page.
  const names = type.startsWith("text/") ? [type, wildcard] : [type, wildcard, "*/*"];
  for (const name of names) {
    const range = ranges.find((candidate) => candidate.name === name);
    if (range !== undefined) return range;
  }
  return null;
}

function isTaken(range: MediaRange | null): range is MediaRange {
  return range !== null && range.quality > 0;
}
