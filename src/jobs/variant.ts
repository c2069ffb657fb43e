import type { JsonObject } from "../domain/json.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { variantOf } from "../pipelines/variants.ts";
import type { JobsContext } from "./context.ts";

/** The pipeline as it is under a config, asked of a worker where it is not known; null when none has answered in time. */
export async function describeUnder(
  { db, wakeups }: Pick<JobsContext, "db" | "wakeups">,
  pipeline: CataloguedPipeline,
  config: JsonObject,
): Promise<CataloguedPipeline["description"] | null> {
  return await variantOf(db, pipeline, config, { ring: () => wakeups.ring("describe") });
}
