/**
 * Measures, in one run on one machine, what we cost beside the bare parts. Only the ratios mean something: absolute numbers
 * are those of this machine today. `npm run bench -- throughput` runs one of them.
 */
import { enqueue } from "./enqueue.ts";
import { latency } from "./latency.ts";
import { observing } from "./observing.ts";
import { pipeline } from "./pipeline.ts";
import { retention } from "./retention.ts";
import { roundTrips } from "./round-trips.ts";
import { type Line, openGround } from "./support.ts";
import { limited, throughput } from "./throughput.ts";

const benchmarks = { enqueue, throughput, limited, "round-trips": roundTrips, latency, pipeline, observing, retention };
const wanted = process.argv.slice(2);

await using ground = await openGround();
for (const [name, measure] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name}`);
  for (const { what, value, unit } of await measure(ground))
    console.log(`  ${format(value).padStart(10)} ${unit.padEnd(8)} ${what}`);
}

function format(value: Line["value"]): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(value < 10 ? 2 : 1);
}
