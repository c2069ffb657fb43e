/** What a queue's jobs are run with where nobody nearer to them says otherwise. */
import { z } from "zod";
import { labelPattern, labelRule, mostLabels, priorities } from "../domain/lanes.ts";
import type { QueueDefaults as QueueDefaultsShape } from "../domain/queue-defaults.ts";
import type { RetryRequest } from "../domain/run-request.ts";
import type { QueueDefaultsChanges } from "../jobs/set-queue-defaults.ts";
import { builder } from "./builder.ts";
import { given, RetryInput } from "./run-input.ts";
import { OnWorkerLost, RetryPolicy } from "./run-options.ts";

export const QueueDefaults = builder.objectRef<QueueDefaultsShape>("QueueDefaults").implement({
  description:
    "What a queue's jobs are run with where neither their request nor their pipeline's or project's YAML for the queue says otherwise. Of what is null it says nothing.",
  fields: (t) => ({
    priority: t.exposeInt("priority", { nullable: true, description: "From 0 to 100; higher is taken first." }),
    timeoutMs: t.exposeInt("timeoutMs", { nullable: true, description: "After so long an attempt is stopped." }),
    ttlMs: t.exposeInt("ttlMs", {
      nullable: true,
      description: "Not started so long after it was due, a job expires.",
    }),
    retry: t.field({
      type: RetryPolicy,
      nullable: true,
      description: "When a failed attempt is tried again.",
      resolve: ({ retry }) => retry,
    }),
    onWorkerLost: t.field({
      type: OnWorkerLost,
      nullable: true,
      description: "What becomes of a job whose worker dies.",
      resolve: ({ onWorkerLost }) => onWorkerLost,
    }),
    needs: t.stringList({
      nullable: true,
      description: "Labels that a worker must have to take a job.",
      resolve: ({ needs }) => needs,
    }),
  }),
});

export const QueueDefaultsInput = builder.inputType("QueueDefaultsInput", {
  description:
    "What a queue's jobs are to be run with. What is absent stays as it is; what is null the queue no longer says.",
  fields: (t) => ({
    priority: t.int({
      description: "From 0 to 100; higher is taken first.",
      validate: z.int().min(priorities.lowest).max(priorities.highest).nullish(),
    }),
    timeoutMs: t.int({
      description: "After so long an attempt is stopped, up to 24 days.",
      validate: z.int().min(1).nullish(),
    }),
    ttlMs: t.int({
      description: "Not started so long after it was due, a job expires; up to 24 days.",
      validate: z.int().min(1).nullish(),
    }),
    retry: t.field({ type: RetryInput, description: "When a failed attempt is tried again: the whole of it." }),
    onWorkerLost: t.field({ type: OnWorkerLost, description: "What becomes of a job whose worker dies." }),
    needs: t.stringList({
      description: `Labels that a worker must have, at most ${mostLabels}.`,
      validate: z
        .array(z.string().regex(labelPattern, `The label cannot be used: ${labelRule}`))
        .min(1)
        .max(mostLabels)
        .nullish(),
    }),
  }),
});

/** What an input changes, absent and null told apart. */
export function defaultsOf({ retry, ...input }: typeof QueueDefaultsInput.$inferInput): QueueDefaultsChanges {
  const changes = { ...input, retry: retry == null ? retry : given<RetryRequest>(retry) };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
