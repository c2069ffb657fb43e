import stringify from "safe-stable-stringify";
import type { Json } from "../domain/json.ts";
import type { PipelineDescription } from "../runtime/protocol.ts";
import { valueProblems } from "./input-value.ts";
import { isTooDeep, type PlanContext, type PlannedRequest, planRun, type RunPlan } from "./plan.ts";

/**
 * `planRun` for many requests of which most are alike: what follows from the graph and the names of the inputs is worked out once,
 * and of each further request only its values are checked. One that has problems is planned by itself, to tell them as ever.
 */
export function planAlike(): typeof planRun {
  const known = new Map<PipelineDescription, Map<string, RunPlan>>();
  return (description: PipelineDescription, request: PlannedRequest, context: PlanContext = {}) => {
    const plans = known.get(description) ?? new Map<string, RunPlan>();
    known.set(description, plans);
    const { inputs, finalVars, config, options, inputsFrom } = request;
    const key = stringify([Object.keys(inputs), finalVars, config, options, inputsFrom]) ?? "";
    const alike = plans.get(key);
    if (alike !== undefined && fits(description, request)) return withValues(alike, request);
    const plan = planRun(description, request, context);
    if (plan.problems.length === 0) plans.set(key, plan);
    return plan;
  };
}

function fits({ inputs }: PipelineDescription, request: PlannedRequest): boolean {
  return (
    !isTooDeep(request.inputs) &&
    inputs.every(
      (input) =>
        !Object.hasOwn(request.inputs, input.name) ||
        valueProblems(input, request.inputs[input.name] as Json).length === 0,
    )
  );
}

function withValues(plan: RunPlan, { inputs }: PlannedRequest): RunPlan {
  const given = plan.inputs.map((input) =>
    input.source === "request" ? { ...input, value: inputs[input.name] ?? null } : input,
  );
  return { ...plan, inputs: given };
}
