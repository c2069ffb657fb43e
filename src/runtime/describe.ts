import { type RuntimeChild, startChild } from "./child.ts";
import type { Environment } from "./environment.ts";
import { RuntimeStartError } from "./errors.ts";
import { exitText } from "./exit.ts";
import {
  type ErrorInfo,
  type Json,
  noJobQueueSettings,
  type PipelineDescription,
  type ProjectDescription,
  protocolVersion,
  type RuntimeMessage,
} from "./protocol.ts";
import { noError } from "./run-error.ts";

export interface DescribeOptions {
  dir: string;
  /** Path of the interpreter. */
  python: string;
  env: Environment;
  /** All that have a YAML when left out; one without is imported only when it is named. */
  pipelines?: readonly string[];
  /** Merged over the config of the YAML. */
  config?: { [key: string]: Json };
  /** For each pipeline: a module that takes longer to import counts as hung. */
  timeoutMs?: number;
  readyMs?: number;
  /** Gives it up: its reason is thrown. */
  signal?: AbortSignal;
  /** A runtime of the project that is ready, with the same Python and environment: one has not to be started. It is ended. */
  spare?: RuntimeChild | null;
  /** See ChildOptions. */
  entry?: readonly string[];
}

/** What a project is, as its own Python sees it. */
export interface Described {
  project: ProjectDescription;
  pipelines: PipelineDescription[];
  /** Python and the versions of packages, as the runtime tells them. */
  environment: {
    python: { version: string; executable: string };
    packages: Record<string, string>;
  };
}

/**
 * Describes a project in a process of its own that is thrown away. A pipeline whose module hangs or kills the process is
 * broken, with that as its error; the others are described all the same, by another process. Throws a RuntimeStartError when
 * the project's Python cannot serve at all.
 */
export async function describeProject(options: DescribeOptions): Promise<Described> {
  const pipelines = new Map<string, PipelineDescription>();
  let names = options.pipelines ?? null;
  let spare = options.spare ?? null;
  for (;;) {
    options.signal?.throwIfAborted();
    const part = await describePart(options, names, spare);
    spare = null;
    for (const pipeline of part.pipelines) pipelines.set(pipeline.name, pipeline);
    const { project, environment, culprit } = part;
    if (culprit === null) return { project, environment, pipelines: [...pipelines.values()] };
    pipelines.set(culprit.name, undescribed(culprit.name, "broken", importError(culprit.name, culprit.problem)));
    for (const { name, configured } of project.pipelines) {
      if (options.pipelines === undefined && !configured && !pipelines.has(name))
        pipelines.set(name, undescribed(name, "unconfigured", null));
    }
    const all = options.pipelines ?? project.pipelines.map(({ name }) => name);
    names = all.filter((name) => !pipelines.has(name));
    if (names.length === 0) return { project, environment, pipelines: [...pipelines.values()] };
  }
}

interface Part extends Described {
  /** The pipeline at which the process hung or died. */
  culprit: { name: string; problem: string } | null;
}

/** Describes until the end, or until one pipeline does not let it go on. */
async function describePart(
  options: DescribeOptions,
  pipelines: readonly string[] | null,
  spare: RuntimeChild | null,
): Promise<Part> {
  const { python, timeoutMs = 30_000, config = null, signal } = options;
  const child =
    spare ??
    (await startChild(options).catch((error) => {
      signal?.throwIfAborted();
      throw error;
    }));
  const { ready } = child;
  const environment = { python: ready.python, packages: ready.packages };
  const found: PipelineDescription[] = [];
  let project: ProjectDescription | null = null;
  let current: string | null = null;
  const end = Promise.withResolvers<"described" | "hung">();
  const hung = () => end.resolve("hung");
  const giveUp = () => end.reject(signal?.reason);
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted) giveUp();
  let timer = setTimeout(hung, timeoutMs);

  function receive(message: RuntimeMessage): void {
    clearTimeout(timer);
    timer = setTimeout(hung, timeoutMs);
    if (message.type === "project") project = message.project;
    else if (message.type === "describing") current = message.pipeline;
    else if (message.type === "pipeline") {
      found.push(message.pipeline);
      current = null;
    } else if (message.type === "described") end.resolve("described");
    else child.fail(`it sent "${message.type}" while describing`);
  }

  try {
    const request = {
      v: protocolVersion,
      type: "describe",
      id: "1",
      pipelines: pipelines && [...pipelines],
      config,
    } as const;
    child.converse(request, receive);
    const how = await Promise.race([end.promise, child.exited]);
    const told = { project: project as ProjectDescription | null, current: current as string | null };
    if (how === "described" && told.project !== null) {
      return { project: told.project, environment, pipelines: found, culprit: null };
    }
    const problem =
      typeof how === "string" ? `was not imported within ${timeoutMs / 1000} s` : `ended Python: it ${exitText(how)}`;
    if (told.project === null || told.current === null) {
      const what = typeof how === "string" ? `said nothing for ${timeoutMs / 1000} s` : exitText(how);
      throw new RuntimeStartError("RUNTIME_DIED", `${python} ${what} while it described the project ${options.dir}.`);
    }
    return { project: told.project, environment, pipelines: found, culprit: { name: told.current, problem } };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
    child.kill();
    await child.exited;
  }
}

function importError(name: string, problem: string): ErrorInfo {
  return {
    ...noError,
    kind: "INVALID",
    type: "ImportError",
    message: `The module of the pipeline ${name} ${problem}.`,
    hint: "What a module does when it is imported it does at every start: move long or deadly work into a node.",
  };
}

function undescribed(name: string, status: "broken" | "unconfigured", error: ErrorInfo | null): PipelineDescription {
  return {
    name,
    status,
    doc: null,
    codeHash: null,
    modules: [],
    params: {},
    run: {},
    finalVars: null,
    config: {},
    retry: null,
    jobQueue: noJobQueueSettings,
    inputs: [],
    graph: null,
    leaves: [],
    warnings: [],
    error,
  };
}
