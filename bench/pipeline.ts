/** A pipeline of six nodes that take no time: in a warm runtime of ours, in a loop of bare FlowerPower, by its command line. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { benchPython, projectDir } from "./served.ts";
import { type Line, quantile } from "./support.ts";
import { openWarm } from "./warm.ts";

const count = 200;

export async function pipeline(): Promise<Line[]> {
  const python = await benchPython();
  const bareMs = bareLoop(python);
  const sparedMs = bareLoop(python, "remember");
  const warmMs = await warmRuns(python);
  const storingMs = await warmRuns(python, (n) => `job_${n}`);
  const reusingMs = await warmRuns(python, () => "job_1");
  const commandMs = commandLine(python);
  return [
    { what: "bare FlowerPower in a loop, median", value: bareMs, unit: "ms" },
    { what: "  with the folders remembered that loguru looks up, as we do", value: sparedMs, unit: "ms" },
    { what: "run in a warm runtime of ours, every event read, median", value: warmMs, unit: "ms" },
    { what: "  more than bare", value: warmMs - bareMs, unit: "ms" },
    { what: "  more than bare with the folders remembered: what is ours", value: warmMs - sparedMs, unit: "ms" },
    { what: "  with reuse, every value stored", value: storingMs, unit: "ms" },
    { what: "    more than without", value: storingMs - warmMs, unit: "ms" },
    { what: "  with reuse, every value reused", value: reusingMs, unit: "ms" },
    { what: "    more than without", value: reusingMs - warmMs, unit: "ms" },
    { what: "flowerpower pipeline run, median of 3", value: commandMs, unit: "ms" },
    { what: "  ratio to a warm run", value: commandMs / warmMs, unit: "×" },
  ];
}

function bareLoop(python: string, ...more: string[]): number {
  const { stdout, stderr, status } = spawnSync(
    python,
    [join(import.meta.dirname, "bare.py"), projectDir, "six", String(count), ...more],
    { encoding: "utf8", cwd: projectDir },
  );
  if (status !== 0) throw new Error(stderr);
  return Number(stdout.trim().split("\n").at(-1));
}

/** With `jobOf` with reuse: a job finds what itself has stored. */
async function warmRuns(python: string, jobOf?: (n: number) => string): Promise<number> {
  await using warm = await openWarm(python);
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const startedAt = performance.now();
    await warm.run(jobOf?.(n));
    times.push(performance.now() - startedAt);
  }
  return quantile(times.slice(count / 10), 0.5);
}

function commandLine(python: string): number {
  const times = [1, 2, 3].map(() => {
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(join(dirname(python), "flowerpower"), ["pipeline", "run", "six"], {
      encoding: "utf8",
      cwd: projectDir,
    });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - startedAt;
  });
  return quantile(times, 0.5);
}
