import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { GitState } from "./git.ts";

/** The attempt that is to be run again, and the code hash of its pipeline as it is now. */
export interface AttemptOf {
  jobId: string;
  attempt: number;
  project: string;
  pipeline: string;
  currentCodeHash: string | null;
}

/** What is read of a stored context; contexts of before this was stored lack most of it. */
interface Stored {
  folder?: string;
  host?: string;
  executable?: string;
  codeHash?: string;
  git?: GitState | null;
  finalVars?: string[];
  scheduledAt?: string;
  resolved?: { path: string; value: unknown; source: string }[];
  call?: {
    inputs: { [name: string]: string };
    config: { [name: string]: string };
    imports: string[];
    problems: string[];
    variables: string[];
    secrets: string[];
    /** FlowerPower would rewrite the YAML; absent in contexts of before this was stored, as is the next. */
    rewrites?: boolean;
    /** Modules of a pipeline that Hamilton's async driver runs; null: FlowerPower runs it. */
    asyncModules?: string[] | null;
    command: { program: string; inputs: string; config: string } | null;
  };
}

/**
 * The shell command that runs the same thing with FlowerPower alone, below comments that say what has changed since. Values from
 * the environment are read from there again, and have to be set first. Null when the attempt has stored too little.
 */
export function reproduceCommand(codeHash: string | null, context: JsonObject, of: AttemptOf): string | null {
  const stored = context as Stored;
  const { folder, executable, finalVars, call, scheduledAt = "" } = stored;
  if (folder === undefined || executable === undefined || finalVars === undefined || call === undefined) return null;
  // A name that a shell does not take cannot be checked there.
  const needed = [...new Set([...call.variables, ...call.secrets])].filter((name) => /^[A-Za-z_]\w*$/.test(name));
  const variables: [string, string][] = [
    ["FLOWERPOWER_JOB_ID", quoted(idText("job", of.jobId))],
    ["FLOWERPOWER_ATTEMPT", String(of.attempt)],
    ["FLOWERPOWER_PROJECT", quoted(of.project)],
    ["FLOWERPOWER_SCHEDULED_AT", quoted(scheduledAt)],
    ["FLOWERPOWER_RUN_DIR", '"$(mktemp -d)"'],
    ["MPLBACKEND", "Agg"],
    ["PYTHONUTF8", "1"],
  ];
  const before = [
    `cd ${quoted(folder)} && \\`,
    ...needed.map((name) => `: "\${${name}:?has to be set}" && \\`),
    `${variables.map(([name, value]) => `${name}=${value}`).join(" ")} \\`,
  ];
  const asked = (stored.resolved ?? []).filter(({ source }) => source === "request");
  const options = asked.some(({ path }) => path === "log_level" || path.startsWith("executor."));
  const run =
    call.command !== null && !options
      ? commandLine(of.pipeline, finalVars, call.command)
      : script(of.pipeline, executable, finalVars, call, stored.resolved ?? []);
  return [...remarks(codeHash, stored, of, needed).map((line) => `# ${oneLine(line)}`), ...before, run].join("\n");
}

/** FlowerPower's own command. */
function commandLine(
  pipeline: string,
  finalVars: readonly string[],
  { program, inputs, config }: NonNullable<NonNullable<Stored["call"]>["command"]>,
): string {
  const flags = [
    ...(inputs === "{}" ? [] : [`--inputs ${quoted(inputs)}`]),
    ...(config === "{}" ? [] : [`--config ${quoted(config)}`]),
    `--final-vars ${quoted(JSON.stringify(finalVars))}`,
    "--max-retries 0",
  ];
  return `${quoted(program)} pipeline run ${quoted(pipeline)} ${flags.join(" ")}`;
}

/** A call of FlowerPower in Python, where its command cannot say it: a date is a date, 5.0 is no integer. */
function script(
  pipeline: string,
  executable: string,
  finalVars: readonly string[],
  call: NonNullable<Stored["call"]>,
  resolved: NonNullable<Stored["resolved"]>,
): string {
  const { imports, rewrites = false, asyncModules = null } = call;
  return [
    `${quoted(executable)} - <<'EOF'`,
    "from flowerpower import FlowerPowerProject",
    ...(rewrites ? keepYaml : []),
    'manager = FlowerPowerProject.load(".").pipeline_manager',
    ...imports.map((module) => `import ${module}`),
    ...(asyncModules === null
      ? runLines(pipeline, finalVars, call, resolved)
      : asyncLines(pipeline, finalVars, call, asyncModules)),
    "print(result)",
    "EOF",
  ].join("\n");
}

/** FlowerPower writes a YAML anew that has flat retry fields: its comments go, and the values of variables come into it. */
const keepYaml = [
  "from flowerpower.cfg import pipeline as settings",
  "migrate = settings.migrate_legacy_retry_fields",
  "settings.migrate_legacy_retry_fields = lambda run: (migrate(run), False)[1]  # the YAML stays as it is",
];

function runLines(
  pipeline: string,
  finalVars: readonly string[],
  { inputs, config }: NonNullable<Stored["call"]>,
  resolved: NonNullable<Stored["resolved"]>,
): string[] {
  const keywords = [
    `inputs=${dict(inputs)}`,
    `final_vars=${JSON.stringify(finalVars)}`,
    ...(Object.keys(config).length === 0 ? [] : [`config=${dict(config)}`]),
    ...executorOf(resolved),
    ...resolved
      .filter(({ path, source }) => path === "log_level" && source === "request")
      .map(({ value }) => `log_level=${JSON.stringify(value)}`),
    "max_retries=0",
  ];
  return ["result = manager.run(", ...[JSON.stringify(pipeline), ...keywords].map((word) => `    ${word},`), ")"];
}

/** FlowerPower's own way of running these always fails: with its modules and settings, by Hamilton's driver. */
function asyncLines(
  pipeline: string,
  finalVars: readonly string[],
  { inputs, config }: NonNullable<Stored["call"]>,
  modules: readonly string[],
): string[] {
  return [
    "import asyncio, importlib",
    "from flowerpower.cfg import Config",
    "from hamilton import async_driver",
    `run = Config.load(".", pipeline_name=${JSON.stringify(pipeline)}).pipeline.run`,
    `modules = [importlib.import_module(name) for name in ${JSON.stringify(modules)}]`,
    "async def main():",
    `    driver = async_driver.Builder().with_modules(*modules).with_config({**(run.config or {}), **${dict(config)}})`,
    `    return await (await driver.build()).execute(${JSON.stringify(finalVars)}, inputs={**(run.inputs or {}), **${dict(inputs)}})`,
    "result = asyncio.run(main())",
  ];
}

/** As the runtime passes it: whole, when the request says anything of it. */
function executorOf(resolved: NonNullable<Stored["resolved"]>): string[] {
  const parts = resolved.filter(({ path, value }) => path.startsWith("executor.") && value !== null);
  if (!parts.some(({ source }) => source === "request")) return [];
  const values = parts.map(({ path, value }) => [path.slice("executor.".length), JSON.stringify(value)]);
  return [`executor_cfg=${dict(Object.fromEntries(values))}`];
}

function dict(expressions: { [name: string]: string }): string {
  return `{${Object.entries(expressions)
    .map(([name, expression]) => `${JSON.stringify(name)}: ${expression}`)
    .join(", ")}}`;
}

/** What whoever runs it again has to know. */
function remarks(codeHash: string | null, stored: Stored, of: AttemptOf, needed: readonly string[]): string[] {
  const { git = null, host, call } = stored;
  const changed = codeHash !== null && of.currentCodeHash !== null && codeHash !== of.currentCodeHash;
  return [
    `${of.project}/${of.pipeline}, attempt ${of.attempt} of ${idText("job", of.jobId)}${host === undefined ? "" : `, ran on ${host}`}`,
    ...(changed
      ? [
          `WARNING: the code has changed since: it was ${codeHash?.slice(0, 12)}, now it is ${of.currentCodeHash?.slice(0, 12)}.`,
        ]
      : []),
    ...(of.currentCodeHash === null ? ["WARNING: the pipeline is no longer there as it was."] : []),
    ...(git === null ? [] : [`The code was that of: git checkout ${git.commit}`]),
    ...(git?.dirty === true ? ["WARNING: the folder had changes that are not in that commit."] : []),
    ...(call?.problems ?? []).map((problem) => `WARNING: ${problem}.`),
    ...(needed.length === 0 ? [] : [`To be set and exported first, as the worker had them: ${needed.join(", ")}`]),
  ];
}

/** A comment ends with its line, whatever a name holds. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}

/** One word for a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
