/** What can be done with a queue. */
import { z } from "zod";
import { BadInputError, NotFoundError, QueueExistsError } from "../domain/errors.ts";
import { namePattern } from "../domain/lanes.ts";
import type { QueueDefaults } from "../domain/queue-defaults.ts";
import type { QueueLimits } from "../domain/queue-limits.ts";
import { createQueue } from "../jobs/create-queue.ts";
import { pauseQueue, resumeQueue } from "../jobs/pause-queue.ts";
import { setQueueDefaults } from "../jobs/set-queue-defaults.ts";
import { setQueueLimits } from "../jobs/set-queue-limits.ts";
import { builder } from "./builder.ts";
import { Queue } from "./queue.ts";
import { defaultsOf, QueueDefaultsInput } from "./queue-defaults.ts";
import { given } from "./run-input.ts";

const most = 1_000_000;
const dayMs = 86_400_000;
const limit = z.int().min(1).max(most).nullish();

const RateLimitInput = builder.inputType("RateLimitInput", {
  description: "So many jobs within a time.",
  fields: (t) => ({
    jobs: t.int({ required: true, description: `How many jobs, 1 to ${most}.`, validate: z.int().min(1).max(most) }),
    periodMs: t.int({
      required: true,
      description: "Within how long, 1 to 86400000: a day.",
      validate: z.int().min(1).max(dayMs),
    }),
  }),
});

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

const limitFields = (t: InputFields, absent: string) => ({
  concurrencyLimit: t.int({
    description: `How many of its jobs may be with workers at the same time, over all of them, 1 to ${most}; null: any number. ${absent}`,
    validate: limit,
  }),
  rateLimit: t.field({
    type: RateLimitInput,
    description: `How many of its jobs may be given to workers within a time; null: any number. ${absent}`,
  }),
  backlogLimit: t.int({
    description: `With so many jobs waiting it takes no more, 1 to ${most}; null: any number. ${absent}`,
    validate: limit,
  }),
});

const CreateQueueInput = builder.inputType("CreateQueueInput", {
  description: "A queue that is to be made.",
  fields: (t) => ({
    name: t.string({
      required: true,
      description: "Its name: letters, digits, `_`, `-` and `.`.",
      validate: z.string().regex(namePattern),
    }),
    ...limitFields(t, "Absent: null."),
    jobDefaults: t.field({ type: QueueDefaultsInput, description: "What its jobs are run with; nothing when absent." }),
  }),
});

const SetQueueLimitsInput = builder.inputType("SetQueueLimitsInput", {
  description: "What a queue is to let pass from now on.",
  fields: (t) => ({
    name: t.string({ required: true, description: "The queue's name." }),
    ...limitFields(t, "Absent: as it is."),
  }),
});

const SetQueueDefaultsInput = builder.inputType("SetQueueDefaultsInput", {
  description: "What a queue's jobs are to be run with from now on.",
  fields: (t) => ({
    name: t.string({ required: true, description: "The queue's name." }),
    jobDefaults: t.field({ type: QueueDefaultsInput, required: true, description: "What is to be different." }),
  }),
});

const PauseQueueInput = builder.inputType("PauseQueueInput", {
  description: "Which queue is to be paused, until when, and why.",
  fields: (t) => ({
    name: t.string({ required: true, description: "The queue's name." }),
    until: t.field({ type: "DateTime", description: "When it opens by itself; when somebody resumes it, if absent." }),
    reason: t.string({
      description: "Why, for whoever asks later; at most 1000 characters.",
      validate: z.string().max(1000).nullish(),
    }),
  }),
});

const ResumeQueueInput = builder.inputType("ResumeQueueInput", {
  description: "Which queue is to be opened.",
  fields: (t) => ({ name: t.string({ required: true, description: "The queue's name." }) }),
});

/** Each mutation answers with the queue as it is then. */
const success = (name: string, description: string) =>
  builder.objectRef<{ name: string }>(name).implement({
    description,
    fields: (t) => ({
      queue: t.field({ type: Queue, description: "The queue.", resolve: ({ name }) => ({ name }) as never }),
    }),
  });
const CreateQueueSuccess = success("CreateQueueSuccess", "The queue is there.");
const SetQueueLimitsSuccess = success("SetQueueLimitsSuccess", "The limits hold.");
const SetQueueDefaultsSuccess = success("SetQueueDefaultsSuccess", "The defaults hold.");
const PauseQueueSuccess = success("PauseQueueSuccess", "The queue is paused.");
const ResumeQueueSuccess = success("ResumeQueueSuccess", "The queue is open.");

builder.mutationField("createQueue", (t) =>
  t.field({
    type: CreateQueueSuccess,
    description: "Makes a queue. Queues that a project's files name are made when the project is published.",
    authScopes: { manage: true },
    errors: { types: [QueueExistsError], union: { description: "The queue, or why it was not made." } },
    args: { input: t.arg({ type: CreateQueueInput, required: true, description: "The queue." }) },
    resolve: async (_root, { input: { name, jobDefaults, ...limits } }, { jobs, actor }) => {
      const { concurrencyLimit = null, rateLimit = null, backlogLimit = null } = limits;
      const said = given<QueueDefaults>(defaultsOf(jobDefaults ?? {}));
      await createQueue(jobs, actor, { name, concurrencyLimit, rateLimit, backlogLimit, jobDefaults: said });
      return { name };
    },
  }),
);

builder.mutationField("setQueueLimits", (t) =>
  t.field({
    type: SetQueueLimitsSuccess,
    description:
      "Changes what a queue lets pass. Jobs that are with workers go on; those that wait are under the new limits at once.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError], union: { description: "The queue, or why it cannot be changed." } },
    args: {
      input: t.arg({ type: SetQueueLimitsInput, required: true, description: "Which queue, and what it lets pass." }),
    },
    resolve: async (_root, { input: { name, ...limits } }, { jobs, actor }) => {
      const given = Object.entries(limits).filter(([, value]) => value !== undefined);
      await setQueueLimits(jobs, actor, { name, ...(Object.fromEntries(given) as Partial<QueueLimits>) });
      return { name };
    },
  }),
);

builder.mutationField("setQueueDefaults", (t) =>
  t.field({
    type: SetQueueDefaultsSuccess,
    description:
      "Changes what a queue's jobs are run with where nobody nearer to them says otherwise: priority, time to live and labels of jobs that are made from now on, timeout and retry of every attempt that starts.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError], union: { description: "The queue, or why it cannot be changed." } },
    args: {
      input: t.arg({ type: SetQueueDefaultsInput, required: true, description: "Which queue, and what it says." }),
    },
    resolve: async (_root, { input: { name, jobDefaults } }, { jobs, actor }) => {
      await setQueueDefaults(jobs, actor, name, defaultsOf(jobDefaults));
      return { name };
    },
  }),
);

builder.mutationField("pauseQueue", (t) =>
  t.field({
    type: PauseQueueSuccess,
    description:
      "Lets nothing of a queue start any more. Jobs are accepted and wait, what runs goes on. Done again, it changes the time and the reason.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError, BadInputError], union: { description: "The queue, or why it cannot be paused." } },
    args: { input: t.arg({ type: PauseQueueInput, required: true, description: "Which queue, until when, and why." }) },
    resolve: async (_root, { input: { name, until, reason } }, { jobs, actor, db }) => {
      if (until != null && until.getTime() <= db.now()) {
        throw new BadInputError("The pause would be over already: `until` has passed.", "input.until");
      }
      await pauseQueue(jobs, actor, { name, until: until ?? null, reason: reason ?? null });
      return { name };
    },
  }),
);

builder.mutationField("resumeQueue", (t) =>
  t.field({
    type: ResumeQueueSuccess,
    description: "Opens a queue: what waits is given to workers, as its limits let it.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError], union: { description: "The queue, or why it cannot be opened." } },
    args: { input: t.arg({ type: ResumeQueueInput, required: true, description: "Which queue." }) },
    resolve: async (_root, { input: { name } }, { jobs, actor }) => {
      await resumeQueue(jobs, actor, name);
      return { name };
    },
  }),
);
