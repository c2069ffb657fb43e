/** What can be done with a project. None of it takes a path: which folder a name means is each worker's own matter. */
import { z } from "zod";
import { NotFoundError } from "../domain/errors.ts";
import { disableProject, enableProject } from "../jobs/disable-project.ts";
import { reloadProject } from "../jobs/reload-project.ts";
import { builder } from "./builder.ts";
import { Project } from "./project.ts";

const name = { required: true, description: "The name under which it is registered." } as const;

const ReloadProjectInput = builder.inputType("ReloadProjectInput", {
  description: "Which project is to be described again.",
  fields: (t) => ({
    name: t.string(name),
    waitMs: t.int({
      description: "How long to wait for a worker to have published it, at most 60000; without it: 10000.",
      validate: z.number().int().min(0).max(60_000).nullish(),
    }),
  }),
});

const DisableProjectInput = builder.inputType("DisableProjectInput", {
  description: "Which project is to be disabled, and why.",
  fields: (t) => ({
    name: t.string(name),
    reason: t.string({
      description: "Why, for whoever asks later; at most 1000 characters.",
      validate: z.string().max(1000).nullish(),
    }),
  }),
});

const EnableProjectInput = builder.inputType("EnableProjectInput", {
  description: "Which project is to be enabled.",
  fields: (t) => ({ name: t.string(name) }),
});

const ReloadProjectSuccess = builder.objectRef<{ name: string; reloaded: boolean }>("ReloadProjectSuccess").implement({
  description: "The project's workers were told to describe it again.",
  fields: (t) => ({
    reloaded: t.exposeBoolean("reloaded", {
      description: "Whether one has published it by now; false when none did within the time, as when none lives.",
    }),
    project: t.field({
      type: Project,
      description: "The project as it is now.",
      resolve: ({ name }) => ({ name }) as never,
    }),
  }),
});

const DisableProjectSuccess = builder.objectRef<{ name: string }>("DisableProjectSuccess").implement({
  description: "The project is disabled.",
  fields: (t) => ({
    project: t.field({
      type: Project,
      description: "The project.",
      resolve: ({ name }) => ({ name }) as never,
    }),
  }),
});

const EnableProjectSuccess = builder.objectRef<{ name: string }>("EnableProjectSuccess").implement({
  description: "The project is enabled.",
  fields: (t) => ({
    project: t.field({
      type: Project,
      description: "The project.",
      resolve: ({ name }) => ({ name }) as never,
    }),
  }),
});

const defaultWaitMs = 10_000;

builder.mutationField("reloadProject", (t) =>
  t.field({
    type: ReloadProjectSuccess,
    description:
      "Has a project described again by its workers, as when a package was installed; changes of its files they notice by themselves. Waits until one has published it.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError], union: { description: "The project, or why it cannot be reloaded." } },
    args: { input: t.arg({ type: ReloadProjectInput, required: true, description: "Which project." }) },
    resolve: async (_root, { input: { name, waitMs } }, { jobs, actor }) => ({
      name,
      reloaded: await reloadProject(jobs, actor, { name, waitMs: waitMs ?? defaultWaitMs }),
    }),
  }),
);

builder.mutationField("disableProject", (t) =>
  t.field({
    type: DisableProjectSuccess,
    description:
      "Switches a project off: jobs of it are refused, those that wait stay queued, those that run go on. Done again, it changes the reason.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError], union: { description: "The project, or why it cannot be disabled." } },
    args: { input: t.arg({ type: DisableProjectInput, required: true, description: "Which project, and why." }) },
    resolve: async (_root, { input: { name, reason } }, { jobs, actor }) => {
      await disableProject(jobs, actor, { name, reason: reason ?? null });
      return { name };
    },
  }),
);

builder.mutationField("enableProject", (t) =>
  t.field({
    type: EnableProjectSuccess,
    description: "Switches a project on again: jobs are accepted, and those that waited are started.",
    authScopes: { manage: true },
    errors: { types: [NotFoundError], union: { description: "The project, or why it cannot be enabled." } },
    args: { input: t.arg({ type: EnableProjectInput, required: true, description: "Which project." }) },
    resolve: async (_root, { input: { name } }, { jobs, actor }) => {
      await enableProject(jobs, actor, name);
      return { name };
    },
  }),
);
