import type { Client } from "../client/client.ts";
import { JobContextDocument, type JobContextQuery } from "../client/generated/graphql.ts";
import { type Cli, type GlobalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { localTime } from "./units.ts";

type Attempt = NonNullable<JobContextQuery["job"]>["attempts"]["nodes"][number];
type Context = NonNullable<Attempt["executionContext"]>;

/** Everything that the last attempt of a job ran with. */
export async function showContext(
  client: Client,
  id: string,
  options: GlobalOptions,
  { terminal }: Cli,
): Promise<void> {
  const { job } = await client.request(JobContextDocument, { id, last: 1 }, { idempotent: true });
  const attempt = job?.attempts.nodes[0];
  if (job == null || attempt === undefined) throw new UsageError(`${id} has not started yet.`);
  const { executionContext: context } = attempt;
  if (context === null) {
    throw new UsageError(
      `Attempt ${attempt.number} of ${id} has told nothing: it has not come to its graph, or you may not see it.`,
    );
  }
  if (options.json)
    return printJson(terminal, {
      ...job,
      attempts: undefined,
      attempt: attempt.number,
      worker: attempt.worker.id,
      context,
    });
  terminal.out(terminal.paint("bold", `${job.project}/${job.pipeline}  ${id}  attempt ${attempt.number}`));
  for (const line of contextLines(job.traceId, attempt.worker.id, context, terminal)) terminal.out(line);
}

function contextLines(
  traceId: string,
  workerId: string,
  context: Context,
  { paint, columns, symbols }: Terminal,
): string[] {
  const { git, modules, resolved, packages } = context;
  const facts: [string, string | null][] = [
    ["started", `${localTime(context.startedAt)}${context.host === null ? "" : ` on ${context.host}`}`],
    ["worker", workerId],
    ["folder", context.folder],
    ["python", `${context.python ?? "?"}  ${context.executable ?? ""}`],
    [
      "packages",
      Object.entries(packages)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
    ["code", context.codeHash],
    ["git", git && `${git.commit}${git.branch ? ` (${git.branch})` : ""}${git.dirty ? ", with changes" : ""}`],
    ["remote", git?.remote ?? null],
    ["path", context.path.join(` ${symbols.arrow} `)],
    ["final variables", context.finalVars.join(", ")],
    ["trace", traceId],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const rows = resolved.map(({ path, value, reference, keyedHash, source }) => [
    path,
    printable(reference ?? (keyedHash === null ? JSON.stringify(value) : `hash ${keyedHash}`)),
    source,
  ]);
  return [
    ...facts.flatMap(([name, value]) => (value ? [`  ${paint("dim", name.padEnd(width))}  ${printable(value)}`] : [])),
    "",
    ...table(["VALUE", "", "SOURCE"], clipped(rows, columns, symbols.ellipsis)).map((line) => `  ${line}`),
    "",
    ...table(
      ["MODULE", "SHA-256"],
      modules.map(({ file, sha256 }) => [file, sha256.slice(0, 16)]),
    ).map((line) => `  ${line}`),
  ];
}

/** Values take what the other two columns leave, and at least a few letters. */
function clipped(rows: string[][], columns: number, ellipsis: string): string[][] {
  const widest = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const room = Math.max(24, columns - widest(0) - widest(2) - 8);
  return rows.map(([path = "", value = "", source = ""]) => [
    path,
    value.length > room ? value.slice(0, room - ellipsis.length) + ellipsis : value,
    source,
  ]);
}
