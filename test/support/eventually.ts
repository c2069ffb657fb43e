import { vi } from "vitest";

/** Waits until the assertions hold, for as long as a busy machine may need. */
export async function eventually(assertions: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(assertions, { timeout: 15_000, interval: 20 });
}
