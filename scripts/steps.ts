import { spawn } from "node:child_process";
import { styleText } from "node:util";

export interface Step {
  name: string;
  command: string;
  args: string[];
  /** Why it is left out here. */
  skipped?: string;
}

/** Runs all steps, one after the other, tells what each took, and ends with exit code 1 when one of them failed. */
export async function runSteps(steps: readonly Step[]): Promise<never> {
  const failed: string[] = [];
  for (const { name, command, args, skipped } of steps) {
    if (skipped !== undefined) continue;
    const startedAt = performance.now();
    console.log(styleText("bold", `── ${name}`));
    const code = await exitCodeOf(command, args);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (code !== 0) failed.push(name);
    console.log(
      code === 0 ? styleText("green", `✓ ${name}  ${seconds} s`) : styleText("red", `✗ ${name}  exit ${code}`),
    );
  }
  for (const { name, skipped } of steps) {
    if (skipped !== undefined) console.log(styleText("yellow", `– ${name}: NOT RUN, ${skipped}`));
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
  process.exit(failed.length === 0 ? 0 : 1);
}

async function exitCodeOf(command: string, args: string[]): Promise<number> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", cwd: `${import.meta.dirname}/..` });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
}
