/**
 * Every type of event that the log holds, with the schema of its data for each stored version.
 * A new version gets a new number and leaves the old schema: rows are never rewritten. A type that this server does not
 * know (written by a newer one) is shown as it is, never refused.
 */
import { z } from "zod";
import { jobStates } from "./lifecycle.ts";
import { errorKinds } from "./outcome.ts";
import { nodeReasonSchema } from "./reuse.ts";

/** The value of a final variable, a file that the run has left, the whole of a log that was cut. */
export const artifactKinds = ["result", "file", "log"] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

const state = z.enum(jobStates);
const time = z.iso.datetime({ offset: true });

/** What a person needs of an error in a feed; the whole of it is on the attempt and the node run. */
const errorSchema = z.object({
  kind: z.enum(errorKinds),
  type: z.string(),
  message: z.string(),
  node: z.string().nullable(),
});
export type EventError = z.infer<typeof errorSchema>;

const summary = z.record(z.string(), z.json());

export const eventTypes = {
  "job.enqueued": {
    version: 1,
    versions: { 1: z.object({ state, priority: z.number(), queue: z.string(), runAt: time, actor: z.string() }) },
  },
  "job.scheduled": { version: 1, versions: { 1: z.object({}) } },
  "job.queued": { version: 1, versions: { 1: z.object({}) } },
  "job.postponed": { version: 1, versions: { 1: z.object({}) } },
  "job.updated": {
    version: 1,
    versions: {
      1: z.object({
        actor: z.string(),
        reason: z.string().nullable(),
        changes: z.array(z.object({ field: z.string(), from: z.json(), to: z.json() })),
      }),
    },
  },
  "job.started": { version: 1, versions: { 1: z.object({ worker: z.string() }) } },
  "job.succeeded": { version: 1, versions: { 1: z.object({}) } },
  "job.retry_planned": {
    version: 1,
    versions: { 1: z.object({ error: errorSchema, failures: z.number(), maxAttempts: z.number(), runAt: time }) },
  },
  "job.failed": { version: 1, versions: { 1: z.object({ error: errorSchema }) } },
  "job.cancel_requested": {
    version: 1,
    versions: { 1: z.object({ actor: z.string(), reason: z.string().nullable() }) },
  },
  "job.cancelled": {
    version: 1,
    versions: { 1: z.object({ actor: z.string().nullable(), reason: z.string().nullable() }) },
  },
  "job.expired": { version: 1, versions: { 1: z.object({}) } },
  "job.requeued": {
    version: 1,
    versions: { 1: z.object({ actor: z.string(), reason: z.string().nullable().optional() }) },
  },
  "job.released": { version: 1, versions: { 1: z.object({ reason: z.string() }) } },
  "job.rescued": { version: 1, versions: { 1: z.object({ error: errorSchema, losses: z.number() }) } },
  "job.stalled": {
    version: 1,
    versions: {
      1: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("no_progress"), forMs: z.number() }),
        z.object({ kind: z.literal("slow"), forMs: z.number(), p95Ms: z.number() }),
      ]),
    },
  },
  "run.resolved": {
    version: 1,
    versions: {
      1: z.object({ codeHash: z.string(), path: z.array(z.string()), finalVars: z.array(z.string()) }),
    },
  },
  "node.started": { version: 1, versions: { 1: z.object({ reason: nodeReasonSchema.optional() }) } },
  "node.reused": { version: 1, versions: { 1: z.object({ reason: nodeReasonSchema, summary }) } },
  "node.expanded": { version: 1, versions: { 1: z.object({ count: z.number(), nodes: z.array(z.string()) }) } },
  "node.succeeded": {
    version: 1,
    versions: {
      1: z.object({
        durationMs: z.number(),
        cpuMs: z.number().nullable(),
        // Absent in what older servers wrote.
        memoryGrowthBytes: z.number().nullable().optional(),
        summary,
        stored: z.boolean().optional(),
      }),
    },
  },
  "node.failed": {
    version: 1,
    versions: { 1: z.object({ durationMs: z.number(), error: errorSchema }) },
  },
  "log.line": {
    version: 1,
    versions: {
      1: z.object({ level: z.string(), stream: z.string(), logger: z.string().nullable(), text: z.string() }),
    },
  },
  "log.dropped": {
    version: 1,
    versions: { 1: z.object({ lines: z.number(), bytes: z.number(), reason: z.string() }) },
  },
  "artifact.stored": {
    version: 1,
    versions: {
      1: z.object({
        artifact: z.string(),
        name: z.string(),
        kind: z.enum(artifactKinds),
        mediaType: z.string().nullable(),
        bytes: z.number().nullable(),
        omitted: z.string().nullable(),
      }),
    },
  },
} as const satisfies Record<string, { version: number; versions: Record<number, z.ZodType> }>;

export type EventType = keyof typeof eventTypes;
export const eventTypeNames = Object.keys(eventTypes) as EventType[];

/** Data of an event as it is written now. */
export type EventData<T extends EventType> = T extends EventType
  ? z.infer<(typeof eventTypes)[T]["versions"][(typeof eventTypes)[T]["version"]]>
  : never;

/** The last event of a life of a job: exactly one of these, and nothing after it. */
export const terminalEventTypes = [
  "job.succeeded",
  "job.failed",
  "job.cancelled",
  "job.expired",
] as const satisfies EventType[];

/** What others follow through a reader of the feed: how attempts and lives end. An index of the log holds just these. */
export const followedEventTypes = [
  ...terminalEventTypes,
  "job.retry_planned",
  "job.rescued",
] as const satisfies EventType[];
export type FollowedEventType = (typeof followedEventTypes)[number];

export function isTerminalEvent(type: string): boolean {
  return (terminalEventTypes as readonly string[]).includes(type);
}

export function isKnownEvent(type: string, version: number): type is EventType {
  return Object.hasOwn(eventTypes, type) && Object.hasOwn(eventTypes[type as EventType].versions, version);
}
