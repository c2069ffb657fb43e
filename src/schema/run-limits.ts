import type { RunLimits as Shape } from "../domain/run-limits.ts";
import { builder } from "./builder.ts";

export const RunLimits = builder.objectRef<Shape>("RunLimits").implement({
  description: "What a run of a pipeline may use, over all its processes; beyond it is killed and fails.",
  fields: (t) => ({
    maxMemoryBytes: t.float({
      nullable: true,
      description: "Bytes of memory that it may hold; null: no limit.",
      resolve: ({ memory }) => memory?.most,
    }),
    maxMemorySource: t.string({
      nullable: true,
      description: "Where that is written: a file with its key; null where there is no limit.",
      resolve: ({ memory }) => memory?.source,
    }),
    maxCpuMs: t.float({
      nullable: true,
      description: "Milliseconds of processor time that it may use; null: no limit.",
      resolve: ({ cpu }) => cpu?.most,
    }),
    maxCpuSource: t.string({
      nullable: true,
      description: "Where that is written: a file with its key; null where there is no limit.",
      resolve: ({ cpu }) => cpu?.source,
    }),
  }),
});
