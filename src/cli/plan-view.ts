import type { JobPlan } from "../client/client.ts";
import { cpuText, memoryText } from "../domain/run-limits.ts";
import { problemLine } from "./failure.ts";
import { table } from "./table.ts";
import { printable, printableLines, type Terminal } from "./terminal.ts";
import { counted, duration } from "./units.ts";

/** A plan for a person: what will become of each node, where each value comes from, what is wrong. */
export function planLines(plan: JobPlan, terminal: Terminal): string[] {
  // How a run would be kept that is refused is of no interest.
  const facts = plan.valid === false ? [] : factLines(plan, terminal);
  const note = plan.reuseNote === null ? [] : [terminal.paint("dim", printable(plan.reuseNote))];
  const sections = [nodeLines(plan, terminal), note, inputLines(plan, terminal), facts];
  return [
    headline(plan, terminal),
    ...plan.problems.flatMap((problem) =>
      printableLines(problemLine(problem)).map((line) => terminal.paint("red", line)),
    ),
    ...plan.warnings.map((warning) => terminal.paint("yellow", printable(warningLine(warning)))),
    ...sections.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]),
  ];
}

function warningLine({ path, message, suggestion }: JobPlan["warnings"][number]): string {
  return `  ${path}: ${message}${suggestion === null ? "" : `; did you mean ${suggestion}?`}`;
}

function headline(plan: JobPlan, { paint, symbols }: Terminal): string {
  const name = paint("bold", `${plan.project}/${plan.pipeline}`);
  if (plan.valid === null) {
    return `${paint("yellow", symbols.waiting)} ${name}  not checked: ${printable(plan.notValidated ?? "")}`;
  }
  if (!plan.valid) return `${paint("red", symbols.failed)} ${name}  would be refused`;
  const reused = plan.nodes.filter(({ action }) => action === "REUSE").length;
  const rest = reused === 0 ? "" : `, ${counted(reused, "node")} reused`;
  const will = `${counted(plan.nodes.length - reused, "node")} will run${rest}`;
  return `${paint("green", symbols.ok)} ${name}  ${will}, ${expected(plan)}`;
}

function expected({ expectedMs, pastRuns }: JobPlan): string {
  if (expectedMs !== null) return `about ${duration(expectedMs)} (from ${counted(pastRuns, "run")})`;
  return pastRuns === 0 ? "nobody knows how long: it has not run yet" : "nobody knows how long: some have not run yet";
}

function nodeLines({ nodes }: JobPlan, { columns, symbols, paint }: Terminal): string[] {
  if (nodes.length === 0) return [];
  const rows = nodes.map(
    ({ name, action, reason, inBlock, expectedRuns, reusedBranches, expectedMs, reusedFromId }) => {
      const times = action === "REUSE" ? reusedBranches : expectedRuns;
      const each = expectedMs === null ? "?" : `${duration(expectedMs)}${inBlock ? " each" : ""}`;
      return [
        name,
        action.toLowerCase() + (inBlock ? ` ${symbols.times}${times ?? "?"}` : ""),
        action === "REUSE" ? "" : each,
        printable(
          reusedFromId === null
            ? reason
            : reason.replace(/^hit/, `hit in ${symbols.ellipsis}${reusedFromId.slice(-6)}`),
        ),
      ];
    },
  );
  const dim = (text: string, _column: number, row: number | null) => (row === null ? paint("dim", text) : text);
  return table(["NODE", "WHAT", "EXPECTED", "WHY"], rows, columns, symbols.ellipsis, dim);
}

function inputLines({ inputs }: JobPlan, { columns, symbols, paint }: Terminal): string[] {
  if (inputs.length === 0) return [];
  const rows = inputs.map(({ name, value, reference, place, replaced }) => {
    const instead = replaced === null ? "" : `, in place of ${shown(replaced)} (${replaced.source})`;
    return [name, clipped(shown({ value, reference })), printable(place + instead)];
  });
  const dim = (text: string, _column: number, row: number | null) => (row === null ? paint("dim", text) : text);
  return table(["INPUT", "VALUE", "FROM"], rows, columns, symbols.ellipsis, dim);
}

function factLines(plan: JobPlan, { paint }: Terminal): string[] {
  const { queue, priority, timeoutMs, retry, onWorkerLost, runtime, results, reuse, executor } = plan.settings;
  const { maxMemoryBytes: memory, maxCpuMs: cpu, concurrency, ttlMs: ttl, needs, failureTtlMs } = plan.settings;
  const from = ({ source }: { source: string }) => `(${source})`;
  const spread =
    [executor.type, executor.maxWorkers].filter((part) => part !== null).join(" ") || "decided by its worker";
  const facts: [string, string][] = [
    ["final variables", plan.finalVars.join(", ")],
    ...plan.config.map(({ key, value, source }): [string, string] => [
      `config ${key}`,
      `${JSON.stringify(value)} (${source})`,
    ]),
    ["queue", `${queue.value} ${from(queue)}, priority ${priority.value} ${from(priority)}`],
    ["concurrency", concurrency.value === null ? "" : `${concurrency.value} at a time ${from(concurrency)}`],
    ["needs", needs.value.length === 0 ? "" : `${needs.value.join(", ")} ${from(needs)}`],
    ["expires", ttl.value === null ? "" : `not started ${duration(ttl.value)} after it is due ${from(ttl)}`],
    ["timeout", `${timeoutMs.value === null ? "none" : duration(timeoutMs.value)} ${from(timeoutMs)}`],
    ["memory", memory.value === null ? "" : `at most ${memoryText(memory.value)} ${from(memory)}`],
    ["processor", cpu.value === null ? "" : `at most ${cpuText(cpu.value)} ${from(cpu)}`],
    ["retries", `${retryText(retry)} ${from(retry)}`],
    ["", retry.note ?? ""],
    ["worker lost", `${onWorkerLost.value.toLowerCase()} ${from(onWorkerLost)}`],
    ["executor", `${spread} ${from(executor)}`],
    ["runtime", `${runtime.value.toLowerCase()} ${from(runtime)}`],
    ["results", `${results.value.toLowerCase()} ${from(results)}`],
    ["failed", failureTtlMs.value === null ? "" : `kept for ${duration(failureTtlMs.value)} ${from(failureTtlMs)}`],
    ["reuse", reuse.value === "NONE" ? "" : `${reuse.value.toLowerCase()} ${from(reuse)}`],
    ["code", plan.codeHash?.slice(0, 12) ?? ""],
  ];
  const told = facts.filter(([, value]) => value !== "");
  const width = Math.max(...told.map(([name]) => name.length));
  return told.map(([name, value]) => `${paint("dim", name.padEnd(width))}  ${printable(value)}`);
}

/** How often, after which delays, and what of. */
export function retryText(retry: Omit<JobPlan["settings"]["retry"], "source" | "note" | "jitterFactor">): string {
  const { maxRetries, retryDelayMs, backoff, delaysMs, maxDelayMs, retryExceptions, nonRetryableExceptions } = retry;
  if (maxRetries === 0) return "none";
  const delays =
    delaysMs !== null
      ? `after ${delaysMs.map((delayMs) => duration(delayMs)).join(", ")}`
      : backoff === "FIXED"
        ? `each after ${duration(retryDelayMs)}`
        : `the first after ${duration(retryDelayMs)}`;
  return [
    String(maxRetries),
    delays,
    ...(maxDelayMs === null ? [] : [`at most ${duration(maxDelayMs)}`]),
    ...(retryExceptions === null ? [] : [`of ${retryExceptions.join(" and ")}`]),
    ...(nonRetryableExceptions.length === 0 ? [] : [`never of ${nonRetryableExceptions.join(" or ")}`]),
  ].join(", ");
}

/** A value as JSON, or the reference that stands for it. */
function shown({ value, reference }: { value?: unknown; reference: string | null }): string {
  return printable(reference ?? JSON.stringify(value ?? null));
}

const longestValue = 40;

function clipped(text: string): string {
  return text.length <= longestValue ? text : `${text.slice(0, longestValue - 3)}...`;
}
