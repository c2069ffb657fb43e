/** A bulk action on more jobs than one call takes. */
import { type BulkVerb, bulkVerbNames, operationLimits } from "../domain/operation.ts";
import { builder } from "./builder.ts";
import { BulkProblemRef } from "./bulk-problem.ts";
import { BoundedCount } from "./count.ts";
import { OperationStateEnum } from "./operation-state.ts";

const descriptions: Record<BulkVerb, string> = {
  cancel: "Jobs are stopped: `cancelJobs`.",
  requeue: "Jobs get another life: `requeueJobs`.",
  delete: "Jobs are forgotten: `deleteJobs`.",
  update: "Jobs that wait are changed: `updateJobs`.",
};

const BulkVerbEnum = builder.enumType("BulkVerb", {
  description: "What is done to many jobs.",
  values: Object.fromEntries(
    bulkVerbNames.map((value) => [value.toUpperCase(), { value, description: descriptions[value] }]),
  ) as { [V in BulkVerb as Uppercase<V>]: { value: V; description: string } },
});

export const Operation = builder.drizzleNode("operations", {
  name: "Operation",
  description: `Something that is done to more jobs than the ${operationLimits.jobsOfACall} of one call: in chunks of ${operationLimits.chunk}, by any server or worker.`,
  id: { column: (operation) => operation.id, description: "Its id: `op_…`." },
  fields: (t) => ({
    verb: t.field({
      type: BulkVerbEnum,
      description: "What is done.",
      select: { columns: { verb: true } },
      resolve: ({ verb }) => verb,
    }),
    edit: t.expose("edit", {
      type: "JSON",
      nullable: true,
      description: "Of an update: what is made different, as `updateJobs` was given it; null of the others.",
    }),
    filter: t.expose("filter", {
      type: "JSON",
      description: "Which jobs are meant, as it is kept: the filter that was given. Ids of jobs are UUIDs in it.",
    }),
    reason: t.exposeString("reason", { nullable: true, description: "Why, as whoever asked has said it." }),
    actor: t.exposeString("actor", { description: "Who has asked for it." }),
    state: t.field({
      type: OperationStateEnum,
      description: "How far it is.",
      select: { columns: { state: true } },
      resolve: ({ state }) => state,
    }),
    matched: t.field({
      type: BoundedCount,
      description: `How many jobs fitted when it was asked for; counting stops at ${operationLimits.counted.toLocaleString("en")}, or at ${operationLimits.jobsOfACall} when it takes too long. Those that change meanwhile may be done by somebody else.`,
      select: { columns: { matched: true, matchedIsExact: true } },
      resolve: ({ matched, matchedIsExact }) => ({ value: matched, isExact: matchedIsExact }),
    }),
    done: t.exposeInt("done", { description: "To how many it was done." }),
    failed: t.exposeInt("failed", { description: "To how many it could not be done." }),
    problems: t.field({
      type: [BulkProblemRef],
      description: `To which it was not done, and why: the first ${operationLimits.problems}.`,
      select: { columns: { problems: true } },
      resolve: ({ problems }) => problems,
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "Why it has failed, or why its present chunk has to be tried again; null when all is well.",
    }),
    stoppedBy: t.exposeString("stoppedBy", {
      nullable: true,
      description: "Who has stopped it; null when nobody has.",
    }),
    stopReason: t.exposeString("stopReason", { nullable: true, description: "Why, as they have said it." }),
    createdAt: t.expose("createdAt", {
      type: "DateTime",
      description: "When it was asked for. Jobs that were made later are not touched.",
    }),
    startedAt: t.expose("startedAt", {
      type: "DateTime",
      nullable: true,
      description: "When its first chunk was begun; null before.",
    }),
    finishedAt: t.expose("finishedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended; null before. It is forgotten 30 days later.",
    }),
  }),
});
