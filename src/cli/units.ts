/** `412 ms`, `3.4 s`, `2 min 05 s`, `3 h 12 min`. */
export function duration(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** `812 B`, `3.4 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1 worker`, `2 workers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `48 213`, with the given sign between thousands. */
export function grouped(count: number, separator: string): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, separator);
}

/** `2026-11-23 10:07:05 +01:00`: where people are, with the offset that makes it unambiguous. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  return `${day(date)} ${clock(date)} ${utcOffset(date)}`;
}

/** `2026-11-23 10:07:05`, local. */
export function dayAndClock(date: Date): string {
  return `${day(date)} ${clock(date)}`;
}

/** When, in a few letters, local: `10:07` within a day, else `11-24`, or `2027-01-01` in another year. */
export function dueShort(date: Date, now: Date): string {
  if (Math.abs(date.getTime() - now.getTime()) < 12 * 3_600_000 || day(date) === day(now))
    return clock(date).slice(0, 5);
  return date.getFullYear() === now.getFullYear() ? day(date).slice(5) : day(date);
}

/** `+01:00`. */
export function utcOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

function day(date: Date): string {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** `10:07:05`, local. */
export function clock(date: Date): string {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** A duration as people type it: `30m`, `1h30m`, `90s`, `2d`. Null when it is none. */
export function parseDurationMs(text: string): number | null {
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*/gy)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return null;
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit as string] ?? 0), 0));
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
