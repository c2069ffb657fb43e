import type { Job } from "../client/client.ts";
import type { NodeRunFragment, ValueSummaryFragment } from "../client/generated/graphql.ts";
import { branchName, errorText } from "./frame.ts";
import { summaryText } from "./summary-text.ts";
import { printable, printableLines, type Terminal } from "./terminal.ts";

/** The last thing to read about a job that failed: which node, where in its code, why, with what inputs, and how to go on. */
export function failureBlock(job: Job, { paint, symbols }: Pick<Terminal, "paint" | "symbols">): string[] {
  const { error } = job;
  if (error === null) return [];
  const failedRun = job.failedNodeRuns.nodes.find(({ node, branch }) => node === error.node && branch === error.branch);
  const lines = [
    job.state === "FAILED"
      ? paint("red", `${symbols.failed} ${headline(job)}`)
      : paint("yellow", `${symbols.stopped} ${headline(job)}`),
  ];
  if (error.file !== null) lines.push(`  at ${printable(error.file)}${error.line === null ? "" : `:${error.line}`}`);
  lines.push(...codeLines(job).map((line) => `     ${paint("dim", line)}`));
  lines.push(...printableLines(errorText(error)).map((line) => `  ${paint("bold", line)}`));
  for (const { path, message } of error.problems) lines.push(`  ${printable(path)}: ${printable(message)}`);
  lines.push(...inputLines(failedRun).map((line) => `  ${line(symbols)}`));
  const never = job.lastAttempt?.neverRan?.length ?? 0;
  if (never > 0) lines.push(`  ${never} ${never === 1 ? "node" : "nodes"} never ran.`);
  if (error.hint !== null) lines.push(...printableLines(error.hint).map((line) => `  ${line}`));
  lines.push(`  The whole story: flowerpower-queue logs ${job.id.slice(-6)}`);
  return lines;
}

function headline({ error, attempt, maxAttempts, state }: Job): string {
  const tries = maxAttempts > 1 ? ` (attempt ${attempt} of ${maxAttempts})` : "";
  const became = state === "FAILED" ? "failed" : "was stopped";
  if (error?.node == null) return `The run ${became}${tries}`;
  const branch = error.branch === null ? "" : `, branch ${branchName(error.branch)}`;
  return `${printable(error.node)} ${became}${branch}${tries}`;
}

/** The lines around the failing one, which is marked; of a single line what it says. */
function codeLines({ failure }: Job): string[] {
  const code = failure?.code ?? [];
  if (code.length < 2) return code.map(({ text }) => printable(text.trim()));
  const width = String(code.at(-1)?.number).length;
  const margin = Math.min(
    ...code.filter(({ text }) => text.trim() !== "").map(({ text }) => /^ */.exec(text)?.[0].length ?? 0),
  );
  return code.map(({ number, text, isFailing }) => {
    const line = printable(text.replaceAll("\t", "    ").slice(margin));
    return `${isFailing ? ">" : " "} ${String(number).padStart(width)}  ${line}`.trimEnd();
  });
}

type Line = (symbols: Terminal["symbols"]) => string;

function inputLines(run: NodeRunFragment | undefined): Line[] {
  const inputs = Object.entries(run?.inputs ?? {});
  if (inputs.length === 0) return [];
  const width = Math.max(...inputs.map(([name]) => name.length));
  return [
    () => "called with",
    ...inputs.map(
      ([name, summary]): Line =>
        (symbols) =>
          `  ${printable(name).padEnd(width)}  ${summaryText(summary as ValueSummaryFragment, symbols)}`,
    ),
  ];
}
