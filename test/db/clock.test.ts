import { afterEach, expect, it, vi } from "vitest";
import { connect } from "../../src/db/client.ts";
import { readiness } from "../../src/server/health.ts";
import { StoreProbe } from "../../src/server/store-probe.ts";
import { testDatabase } from "../support/database.ts";

afterEach(() => vi.restoreAllMocks());

const minutesOff = 5;

it("goes by the database's clock, and health tells how far off its own is", async () => {
  await using template = await testDatabase();
  const real = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => real() + minutesOff * 60_000);
  await using db = await connect(template.url);
  expect(Math.abs(db.now() - real())).toBeLessThan(1000);
  // A UUIDv7 begins with its time: jobs made here sort among those made elsewhere.
  const madeAt = Number.parseInt(db.ids.next().replaceAll("-", "").slice(0, 12), 16);
  expect(Math.abs(madeAt - real())).toBeLessThan(1000);
  const told = await readiness(db, { answers: async () => true } as never, new StoreProbe(db, null), false);
  expect(told.clockSkewMs / 60_000).toBeCloseTo(-minutesOff, 1);
});

it("measures anew when the clock is set while it runs", async () => {
  await using db = await testDatabase();
  const real = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => real() - minutesOff * 60_000);
  await db.measureClock();
  expect(Math.abs(db.now() - real())).toBeLessThan(1000);
});
