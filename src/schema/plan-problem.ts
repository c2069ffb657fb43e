import type { PlanProblem as PlanProblemShape } from "../pipelines/plan.ts";
import { builder } from "./builder.ts";

const PlanProblemCode = builder.enumType("PlanProblemCode", {
  description: "What can be wrong with a run before it has begun.",
  values: {
    BROKEN: { description: "The project or the pipeline has an error of its own." },
    UNCONFIGURED: { description: "The pipeline has no YAML." },
    UNKNOWN_INPUT: { description: "There is no such input." },
    COMPUTED_INPUT: { description: "The pipeline computes it: it cannot be given." },
    CONFIG_INPUT: { description: "The config gives it as well." },
    MISSING_INPUT: { description: "An input that is needed is not given and has no default." },
    WRONG_TYPE: { description: "The value does not fit the input's type." },
    NO_FINAL_VARS: { description: "No final variable is set." },
    UNKNOWN_FINAL_VAR: { description: "There is no such node." },
    BRANCH_FINAL_VAR: { description: "It runs once for each branch and has no single value." },
    ENDLESS_COLLECT: { description: "Hamilton would never end." },
    REPEATED_COLLECT: { description: "Branches are collected more than once, and Hamilton would fail." },
    UNKNOWN_EXECUTOR: { description: "FlowerPower has no such executor." },
    EXECUTOR_MISSING: { description: "The project's environment lacks what the executor needs." },
    UNPICKLABLE: { description: "A process pool cannot be sent the nodes of the branches." },
    ASYNC_OFF: { description: "A node is async, and the pipeline's YAML switches the async driver off." },
    ASYNC_BRANCHES: { description: "Hamilton's async driver has no branches." },
    ASYNC_EXECUTOR: { description: "No executor runs anything of an async pipeline." },
    ASYNC_REUSE: { description: "Hamilton's async driver reuses nothing." },
    ADAPTER: { description: "An adapter cannot be used in the way in which the run would go." },
    ADAPTER_REUSE: { description: "An adapter calls the nodes itself, as reuse does." },
    BAD_OPTION: { description: "An option has a value that it cannot have." },
    UNKNOWN_RECOMPUTE: { description: "There is no such node to compute again." },
    TOO_DEEP: { description: "It is nested deeper than FlowerPower takes." },
    UNKNOWN_QUEUE: { description: "There is no such queue." },
  } as const satisfies { [C in PlanProblemShape["code"]]: { description: string } },
});

export const PlanProblem = builder.objectRef<PlanProblemShape>("PlanProblem").implement({
  description: "One thing for which a run would not be accepted.",
  fields: (t) => ({
    code: t.expose("code", { type: PlanProblemCode, description: "What is wrong, for programs." }),
    path: t.exposeString("path", { description: "Where: the path of the field as the caller sent it." }),
    message: t.exposeString("message", { description: "What is wrong, for a person." }),
    suggestion: t.exposeString("suggestion", {
      nullable: true,
      description: "What was probably meant, or what to do; null when nothing is near.",
    }),
  }),
});
