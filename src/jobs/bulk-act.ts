import { z } from "zod";
import { BadInputError, type DomainError, JobStateError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { finalStates, type JobState, transitions, waitingStates } from "../domain/lifecycle.ts";
import type { BulkVerb, StoredProblem } from "../domain/operation.ts";
import type { Edit } from "./edit.ts";
import { whyNotRequeued } from "./requeue.ts";

export type BulkEdit = Omit<Edit, "inputs" | "concurrency" | "expiresAt">;

/** What is done to many jobs. */
export type BulkAct = { reason: string | null } & (
  | { verb: "cancel" | "requeue" | "delete" }
  | { verb: "update"; edit: BulkEdit }
);

/** A job to which it was not done, and why. */
export interface BulkProblem {
  id: string;
  error: DomainError;
}

export interface BulkDone {
  done: string[];
  problems: BulkProblem[];
}

/** The states in which each can be done, and what to say of a job in another one. */
export const bulkVerbs = {
  cancel: { from: [...waitingStates, "running"], refusal: () => "can no longer be cancelled" },
  requeue: { from: transitions.requeue.from, refusal: whyNotRequeued },
  delete: { from: finalStates, refusal: () => "can be deleted only when it has ended" },
  update: { from: waitingStates, refusal: () => "can no longer be changed" },
} as const satisfies Record<BulkVerb, { from: readonly JobState[]; refusal: (state: JobState) => string }>;

export function storedProblem({ id, error }: BulkProblem): StoredProblem {
  const state = error instanceof JobStateError ? (error.state as JobState) : null;
  return { id, code: error.code, message: error.message, state };
}

const storedEdit = z.strictObject({
  priority: z.number().optional(),
  queue: z.string().optional(),
  runAt: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .nullable()
    .optional(),
  tags: z.array(z.string()).optional(),
});

/** What an act makes different, as it is kept for later; null when it changes nothing by itself. */
export function storedEditOf(act: BulkAct): JsonObject | null {
  return act.verb === "update" ? (JSON.parse(JSON.stringify(act.edit)) as JsonObject) : null;
}

/**
 * An act that was kept, perhaps by another version.
 *
 * @throws BadInputError when this one does not understand it
 */
export function readStoredAct(verb: BulkVerb, edit: JsonObject | null, reason: string | null): BulkAct {
  if (verb !== "update") return { verb, reason };
  const { data, error } = storedEdit.safeParse(edit);
  if (data !== undefined) return { verb, edit: withoutUndefined(data), reason };
  const why = error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`).join("; ");
  throw new BadInputError(
    `What is to be different is not understood by this version (${why}). Update all servers and workers, and ask again.`,
    "edit",
  );
}

function withoutUndefined({ priority, queue, runAt, tags }: z.infer<typeof storedEdit>): BulkEdit {
  return {
    ...(priority !== undefined && { priority }),
    ...(queue !== undefined && { queue }),
    ...(runAt !== undefined && { runAt }),
    ...(tags !== undefined && { tags }),
  };
}
