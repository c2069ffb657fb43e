/** The types of events of batches, each with its version and a schema for every stored version, as `event-types.ts` has them for jobs. */
import { z } from "zod";
import { batchOutcomes } from "./batch.ts";
import { finalStates } from "./lifecycle.ts";

const byWhom = { actor: z.string(), reason: z.string().nullable() };

export const batchEventTypes = {
  "batch.enqueued": { version: 1, versions: { 1: z.object({ actor: z.string(), total: z.number() }) } },
  "batch.cancel_requested": { version: 1, versions: { 1: z.object({ ...byWhom, jobs: z.number() }) } },
  "batch.requeued": { version: 1, versions: { 1: z.object({ ...byWhom, jobs: z.number() }) } },
  "batch.completed": {
    version: 1,
    versions: {
      1: z.object({ outcome: z.enum(batchOutcomes), counts: z.partialRecord(z.enum(finalStates), z.number()) }),
    },
  },
  "batch.reopened": { version: 1, versions: { 1: z.object(byWhom) } },
} as const satisfies Record<string, { version: number; versions: Record<number, z.ZodType> }>;

export type BatchEventType = keyof typeof batchEventTypes;
export const batchEventTypeNames = Object.keys(batchEventTypes) as BatchEventType[];

/** Data of an event as it is written now. */
export type BatchEventData<T extends BatchEventType> = T extends BatchEventType
  ? z.infer<(typeof batchEventTypes)[T]["versions"][(typeof batchEventTypes)[T]["version"]]>
  : never;

export function isKnownBatchEvent(type: string, version: number): type is BatchEventType {
  return (
    Object.hasOwn(batchEventTypes, type) && Object.hasOwn(batchEventTypes[type as BatchEventType].versions, version)
  );
}
