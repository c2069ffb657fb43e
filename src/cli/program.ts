import { Command, CommanderError, Help, type Option } from "commander";
import { addBatch } from "./batch.ts";
import { addCancel } from "./cancel.ts";
import type { Cli } from "./cli.ts";
import { addCompare } from "./compare.ts";
import { readConfig } from "./config.ts";
import { addDelete } from "./delete.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addEnqueue } from "./enqueue.ts";
import { describeFailure, Exit, exitCodes } from "./failure.ts";
import { addFailures } from "./failures.ts";
import { addHistory } from "./history.ts";
import { addJob } from "./job.ts";
import { addJobs } from "./jobs.ts";
import { addLogs } from "./logs.ts";
import { addMetrics } from "./metrics.ts";
import { addPlan } from "./plan.ts";
import { addProject } from "./project.ts";
import { addPrune, addStorage } from "./prune.ts";
import { addQueue } from "./queue.ts";
import { addReproduce } from "./reproduce.ts";
import { addRequeue } from "./requeue.ts";
import { addRerun } from "./rerun.ts";
import { addResult } from "./result.ts";
import { addServer } from "./server.ts";
import { type Output, openTerminal } from "./terminal.ts";
import { addUp } from "./up.ts";
import { addUpdate } from "./update.ts";
import { version } from "./version.ts";
import { addWatch } from "./watch.ts";
import { addWorker } from "./worker.ts";
import { addWorkers } from "./workers.ts";

export interface Surroundings {
  env?: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdout: Output;
  stderr: Output;
  signals: Cli["signals"];
  /** Asks the person; absent where there is none. */
  ask?: Cli["ask"];
}

/** Runs one command line, and resolves with the exit code. */
export async function runCli(argv: readonly string[], around: Surroundings): Promise<number> {
  const say = (text: string) => void around.stderr.write(text);
  try {
    const read = readConfig(around.env);
    const config = argv.includes("--no-color") ? { ...read, colour: false } : read;
    const terminal = openTerminal(around.stdout, around.stderr, config);
    await buildProgram(
      { config, terminal, cwd: around.cwd, signals: around.signals, ask: around.ask },
      around,
    ).parseAsync(argv, {
      from: "user",
    });
    return exitCodes.succeeded;
  } catch (error) {
    if (error instanceof Exit) return error.exitCode;
    // Commander has said what is wrong; asking for help is no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
    const { message, exitCode } = describeFailure(error);
    say(`${message}\n`);
    return exitCode;
  }
}

function buildProgram(cli: Cli, { stdout, stderr }: Surroundings): Command {
  const program = new Command("flowerpower-queue")
    .description("Job queue for FlowerPower pipelines: run them, watch each node live, keep every run.")
    .version(version, "-V, --version", "print the version")
    .option("--json", "print JSON, times in UTC")
    .option("--url <url>", "the API (default: the one that runs here, or FLOWERPOWER_QUEUE_URL)")
    .option("--no-color", "no colours")
    .helpOption("-h, --help", "say how a command is used")
    .helpCommand("help [command]", "the same")
    .addHelpText("after", help)
    .configureHelp({ optionDescription: describeOption })
    .showHelpAfterError("(add --help to see how it is used)")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  for (const add of commands) add(program, cli);
  return program;
}

/** An option that may be repeated begins with none: not worth telling. */
function describeOption(this: Help, option: Option): string {
  const isEmptyList = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  return isEmptyList ? option.description : Help.prototype.optionDescription.call(this, option);
}

const commands = [
  addUp,
  addServer,
  addWorker,
  addDemo,
  addPlan,
  addEnqueue,
  addWatch,
  addJobs,
  addJob,
  addLogs,
  addResult,
  addReproduce,
  addUpdate,
  addCancel,
  addDelete,
  addHistory,
  addRequeue,
  addRerun,
  addCompare,
  addFailures,
  addProject,
  addBatch,
  addQueue,
  addWorkers,
  addMetrics,
  addStorage,
  addPrune,
  addDoctor,
];

const help = `
A JOB or a BATCH is an id, the last 6 or more letters of one, @last, or PIPELINE@last.
Exit codes: 0 succeeded, 1 failed, 2 not accepted (usage, validation), 3 cancelled or expired, 75 API unreachable.`;
