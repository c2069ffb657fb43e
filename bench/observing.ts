/** What it costs a node to be observed, beside Hamilton's driver alone, and whether a warm runtime's memory grows. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { residentBytes } from "../src/runtime/memory.ts";
import { benchPython } from "./served.ts";
import type { Line } from "./support.ts";
import { openWarm } from "./warm.ts";

const warmUps = 200;
const runs = 2000;

const given: Record<string, string> = { int: "a number", "pd.DataFrame": "a frame of 10,000 × 10" };

export async function observing(): Promise<Line[]> {
  const python = await benchPython();
  return [...nodes(python), ...(await memory(python))];
}

function nodes(python: string): Line[] {
  const { stdout, stderr, status } = spawnSync(python, [join(import.meta.dirname, "observing.py")], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  const measured = JSON.parse(stdout) as { nodeMs: number; gives: string; bareMs: number; observedMs: number }[];
  return measured.flatMap(({ nodeMs, gives, bareMs, observedMs }) => [
    {
      what: `a node of ${nodeMs} ms that gives ${given[gives] ?? gives}, by Hamilton's driver alone, processor time, median`,
      value: bareMs,
      unit: "ms",
    },
    { what: "  more when it is observed", value: (observedMs - bareMs) * 1000, unit: "µs" },
    { what: "  ratio", value: observedMs / bareMs, unit: "×" },
  ]);
}

async function memory(python: string): Promise<Line[]> {
  await using warm = await openWarm(python);
  const megabytes = () => (residentBytes(warm.child.pid) ?? Number.NaN) / 1e6;
  // The first runs import the pipeline and fill caches, once.
  for (let n = 0; n < warmUps; n += 1) await warm.run();
  const before = megabytes();
  for (let n = 0; n < runs; n += 1) await warm.run();
  const after = megabytes();
  return [
    { what: `memory of a warm runtime after ${warmUps} runs`, value: before, unit: "MB" },
    { what: `  ${runs} runs later`, value: after, unit: "MB" },
    { what: "  more, for each of them", value: ((after - before) * 1000) / runs, unit: "kB" },
  ];
}
