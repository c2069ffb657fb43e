import type { Json } from "../domain/json.ts";
import type { RunOptions } from "../domain/run-request.ts";
import type { PipelineDescription } from "../runtime/protocol.ts";

/** How the branches of a block are spread, as far as it is known: what nobody has written depends on the worker's machine. */
export interface KnownExecutor {
  type: string | null;
  maxWorkers: number | null;
}

export const unknownExecutor: KnownExecutor = { type: null, maxWorkers: null };

/** The executor of a run: the request's, else what the pipeline's YAML says, else that of an earlier run. */
export function executorOf(
  requested: RunOptions["executor"] | null,
  description: Pick<PipelineDescription, "run"> | null,
  earlier: KnownExecutor,
): KnownExecutor {
  const written = writtenExecutor(description?.run ?? null);
  return {
    type: requested?.type ?? written.type ?? earlier.type,
    maxWorkers: requested?.maxWorkers ?? written.maxWorkers ?? earlier.maxWorkers,
  };
}

/** `run.executor` of a YAML, a type alone or with its numbers. A reference is resolved only in the worker. */
export function writtenExecutor(run: Json): KnownExecutor {
  const executor = isObject(run) ? run.executor : null;
  if (typeof executor === "string") return { type: plain(executor), maxWorkers: null };
  if (!isObject(executor)) return unknownExecutor;
  const { type, max_workers: workers } = executor;
  return {
    type: typeof type === "string" ? plain(type) : null,
    maxWorkers: typeof workers === "number" ? workers : null,
  };
}

/** Hamilton gives the branches of a run that is called synchronous a pool of ten threads all the same. */
const synchronousThreads = 10;

/** How many branches run at once; null when nobody knows. */
export function concurrencyOf({ type, maxWorkers }: KnownExecutor): number | null {
  if (type === "synchronous" || type === "local") return synchronousThreads;
  return type === "threadpool" || type === "processpool" ? maxWorkers : null;
}

function plain(text: string): string | null {
  return text.includes("$") ? null : text;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
