import { idText } from "../domain/ids.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { PlanRequest } from "../domain/run-request.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { listNames } from "../pipelines/nearest.ts";
import type { RunPlan } from "../pipelines/plan.ts";
import type { JobSettings } from "../pipelines/policy.ts";
import { type EarlierRun, type GivenValues, plannedReuse, type ReuseForecast } from "../pipelines/reuse.ts";
import { whyNoReuse } from "../pipelines/way.ts";
import type { JobsContext } from "./context.ts";

/** What a run would take from earlier ones, as far as Postgres knows. */
export interface PlannedReuse {
  forecasts: ReuseForecast[];
  /** What there is to know of the forecast, for a person. */
  note: string;
}

export interface ReusingRun {
  pipeline: CataloguedPipeline;
  /** The pipeline under the run's config. */
  description: CataloguedPipeline["description"];
  plan: RunPlan;
  request: PlanRequest;
  settings: JobSettings;
  /** The job whose next attempt it is; null: a new job. */
  sameJob: string | null;
}

/** Says what becomes of each node where values may be reused; null where they may not, or nothing runs. */
export async function planReuse(
  { earlierRuns }: Pick<JobsContext, "earlierRuns">,
  run: ReusingRun,
): Promise<PlannedReuse | null> {
  const { pipeline, description, plan, request, settings, sameJob } = run;
  const { reuse: mode } = settings;
  const { reuseFrom = [], recompute } = request.options;
  if (mode === "none" || description.graph === null || plan.problems.length > 0) return null;
  const unable = whyNoReuse(description, plan.path);
  if (unable !== null) return { forecasts: [], note: `Nothing is reused: ${unable}` };
  const { projectName: project, name } = pipeline;
  const earlier = await earlierRuns({ mode, project, pipeline: name, sameJob, reuseFrom });
  const { graph } = description;
  const now = givenValues(plan, { ...description.config, ...request.config });
  return {
    forecasts: plannedReuse({ mode, graph, path: plan.path, ...(recompute && { recompute }), earlier, now }),
    note: noteOf(mode, earlier),
  };
}

/** A default in the code is part of the code. */
function givenValues({ inputs }: RunPlan, config: JsonObject): GivenValues {
  const given = inputs.filter(({ source }) => source !== "code");
  const values = given.map(({ name, value, reference }): [string, Json] => [name, reference ?? value]);
  return { ...config, ...Object.fromEntries(values) };
}

function noteOf(mode: "resume" | "full", earlier: readonly EarlierRun[]): string {
  if (earlier.some(({ nodes }) => nodes.some(({ stored }) => stored > 0))) {
    return "An estimate from what earlier runs have recorded: the start of the attempt decides, by the values themselves and by what its worker still has.";
  }
  if (earlier.length > 0) {
    const jobs = listNames(
      earlier.map(({ jobId }) => idText("job", jobId)),
      { limit: 3 },
    );
    return `Nothing stored: of ${jobs} no value is kept. A run stores values only where reuse is asked for, and they are kept for 7 days.`;
  }
  return mode === "resume"
    ? "Nothing stored: resume takes what the job's own earlier attempts have stored and the jobs that it is rerun from, and there are none."
    : "Nothing stored: no job of this pipeline has run with reuse: full lately.";
}
