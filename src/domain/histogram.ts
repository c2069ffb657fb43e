/** Slots of a doubling of the time: a percentile is off by less than a tenth. */
export const slotsPerDoubling = 4;
/** 2^30 ms, twelve days: what is longer is counted there. */
export const lastSlot = 30 * slotsPerDoubling;

/** How many times fall into each slot. */
export type Histogram = ReadonlyMap<number, number>;

/** Where a slot begins, in milliseconds; its end is where the next begins. */
export function slotStartMs(slot: number): number {
  return 2 ** (slot / slotsPerDoubling) - 1;
}

/** The time below which the part `q` of all lies, as if they were spread evenly within a slot. Null of nothing. */
export function percentileMs(histogram: Histogram, q: number): number | null {
  const slots = [...histogram].toSorted(([a], [b]) => a - b);
  const total = slots.reduce((sum, [, count]) => sum + count, 0);
  let left = q * total;
  for (const [slot, count] of slots) {
    if (left <= count) {
      const [from, to] = [slotStartMs(slot), slotStartMs(slot + 1)];
      return from + ((to - from) * left) / count;
    }
    left -= count;
  }
  const last = slots.at(-1);
  return last === undefined ? null : slotStartMs(last[0] + 1);
}
