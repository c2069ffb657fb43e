import { type Command, InvalidArgumentError } from "commander";
import type { QueueDefaultsInput } from "../client/generated/graphql.ts";
import { UsageError } from "./failure.ts";
import { addRetryFlags, choice, lengthMs, type RetryFlags, retryOf, wholeNumber } from "./run-flags.ts";
import { label } from "./up-flags.ts";

/** What a queue's jobs are run with, as commander gives it. */
export interface DefaultsFlags extends RetryFlags {
  priority?: number;
  timeout?: number;
  ttl?: number;
  needs: string[];
  onWorkerLost?: "RETRY" | "FAIL";
  clear: (keyof typeof clearable)[];
}

/** By the flag that sets it. */
const clearable = {
  PRIORITY: "priority",
  TIMEOUT: "timeoutMs",
  TTL: "ttlMs",
  NEEDS: "needs",
  "ON-WORKER-LOST": "onWorkerLost",
  RETRIES: "retry",
} as const satisfies Record<string, keyof QueueDefaultsInput>;

export function addDefaultsFlags(command: Command): Command {
  const names = Object.keys(clearable).join(", ").toLowerCase();
  return addRetryFlags(
    command
      .option("--priority <number>", "from 0 to 100; higher is taken first", wholeNumber)
      .option("--timeout <duration>", "stop an attempt after this time", lengthMs)
      .option("--ttl <duration>", "a job expires when it has not started so long after it was due", lengthMs)
      .option("--needs <label>", "only workers that have this label take its jobs; may be repeated", label, [])
      .addOption(choice("--on-worker-lost <what>", "what becomes of a job whose worker dies", ["RETRY", "FAIL"])),
  ).option("--clear <what>", `the queue says nothing of it any more: ${names}; may be repeated`, cleared, []);
}

function cleared(text: string, earlier: string[]): string[] {
  const name = text.toUpperCase();
  if (!Object.hasOwn(clearable, name))
    throw new InvalidArgumentError(`It is none of ${Object.keys(clearable).join(", ").toLowerCase()}.`);
  return [...earlier, name];
}

/** What is to be different; null takes a value away. */
export function defaultsOf(flags: DefaultsFlags): QueueDefaultsInput {
  const { priority, timeout, ttl, needs, onWorkerLost, clear } = flags;
  const given = {
    priority,
    timeoutMs: timeout,
    ttlMs: ttl,
    needs: needs.length === 0 ? undefined : needs,
    onWorkerLost,
    retry: retryOf(flags),
  };
  const changes: QueueDefaultsInput = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  for (const what of clear) {
    const name = clearable[what];
    if (changes[name] !== undefined) throw new UsageError(`${what.toLowerCase()} is given and cleared.`);
    changes[name] = null;
  }
  return changes;
}
