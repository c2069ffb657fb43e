/** Each domain error as a type of the schema: the only mapping. Errors about the call itself are top-level (`edge-errors.ts`). */
import {
  BadInputError,
  CodeChangedError,
  type DomainError,
  IdempotencyConflictError,
  InvalidRunError,
  JobStateError,
  NotFoundError,
  OperationStateError,
  ProjectDisabledError,
  QueueExistsError,
  QueueFullError,
  WorkerStateError,
} from "../domain/errors.ts";
import { uuidOf } from "../domain/ids.ts";
import type { JobState } from "../domain/lifecycle.ts";
import type { OperationState } from "../domain/operation.ts";
import { builder } from "./builder.ts";
import { JobStateEnum } from "./job-state.ts";
import { OperationStateEnum } from "./operation-state.ts";
import { Problem } from "./problem.ts";
import { WorkerState } from "./worker-state.ts";

export const ErrorInterface = builder.interfaceRef<DomainError>("Error").implement({
  description: "Something that the caller can act on.",
  fields: (t) => ({
    code: t.exposeString("code", { description: "What kind of error, for programs: `NOT_FOUND`, `CONFLICT` …" }),
    message: t.exposeString("message", { description: "What is wrong and what to do, for people." }),
    path: t.exposeString("path", {
      nullable: true,
      description: "The field that it is about; null when it is about none.",
    }),
  }),
});

builder.objectType(BadInputError, {
  name: "BadInputError",
  description: "A value that cannot be used, whatever the state of the system.",
  interfaces: [ErrorInterface],
});

builder.objectType(NotFoundError, {
  name: "NotFoundError",
  description: "A named thing that does not exist.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    suggestion: t.exposeString("suggestion", {
      nullable: true,
      description: "The nearest name that exists; null when none is near.",
    }),
  }),
});

builder.objectType(InvalidRunError, {
  name: "InvalidRunError",
  description: "The run that was asked for does not fit the pipeline. Nothing was stored.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [Problem],
      description: "Each thing that is wrong.",
      resolve: ({ problems }) => problems,
    }),
  }),
});

builder.objectType(ProjectDisabledError, {
  name: "ProjectDisabledError",
  description: "Somebody has disabled the project: its jobs are not accepted until it is enabled.",
  interfaces: [ErrorInterface],
  fields: (t) => ({ project: t.exposeString("project", { description: "The project." }) }),
});

builder.objectType(QueueFullError, {
  name: "QueueFullError",
  description: "As many jobs wait in the queue as it may hold. Nothing was stored; try again later.",
  interfaces: [ErrorInterface],
  fields: (t) => ({ queue: t.exposeString("queue", { description: "The queue." }) }),
});

builder.objectType(QueueExistsError, {
  name: "QueueExistsError",
  description: "There is a queue of that name already.",
  interfaces: [ErrorInterface],
  fields: (t) => ({ queue: t.exposeString("queue", { description: "The queue." }) }),
});

builder.objectType(IdempotencyConflictError, {
  name: "IdempotencyConflictError",
  description: "The idempotency key belongs to another request.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    // Not `job`: beside the success it would be another type under one name, which a document cannot ask for.
    existingJob: t.drizzleField({
      type: "jobs",
      nullable: true,
      description: "The job that was made with this key; null when it has been pruned.",
      resolve: async (query, { jobId }, _args, { db }) => {
        const id = uuidOf("job", jobId);
        return id === null ? null : await db.reads.query.jobs.findFirst(query({ where: { id } }));
      },
    }),
  }),
});

builder.objectType(CodeChangedError, {
  name: "CodeChangedError",
  description: "A job is to run with the code that it ran with, and that code is gone.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    ran: t.exposeString("ran", {
      nullable: true,
      description: "Hash of the code with which the job ran; null when it never came to that.",
    }),
    published: t.exposeString("published", {
      nullable: true,
      description: "Hash of the code that is published now; null when it could not be read.",
    }),
  }),
});

builder.objectType(JobStateError, {
  name: "JobStateError",
  description: "The job is in a state from which this cannot be done.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    state: t.field({
      type: JobStateEnum,
      description: "The state it is in.",
      resolve: ({ state }) => state as JobState,
    }),
  }),
});

builder.objectType(WorkerStateError, {
  name: "WorkerStateError",
  description: "The worker has ended or was asked to stop: nothing else can be asked of it.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    state: t.field({
      type: WorkerState,
      description: "The state it is in.",
      resolve: ({ state }) => state as "stopped",
    }),
  }),
});

builder.objectType(OperationStateError, {
  name: "OperationStateError",
  description: "The operation has ended.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    state: t.field({
      type: OperationStateEnum,
      description: "The state it is in.",
      resolve: ({ state }) => state as OperationState,
    }),
  }),
});
