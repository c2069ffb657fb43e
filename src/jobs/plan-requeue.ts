import { JobStateError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { type JobState, transitions } from "../domain/lifecycle.ts";
import type { JobsContext } from "./context.ts";
import { type JobPlan, planJob } from "./plan.ts";
import { whyNotRequeued } from "./requeue.ts";
import { endedJob, refuseOtherCode } from "./rerun.ts";

/**
 * Says what the job's next attempt would do after `requeueJob`, without storing or running anything: what its attempts have
 * stored is reused where its request or its pipeline asks for reuse.
 *
 * @throws NotFoundError when there is no such job, or its pipeline is gone
 * @throws JobStateError when it cannot be requeued
 * @throws CodeChangedError when the job may run no code but one that is gone
 */
export async function planRequeue(context: JobsContext, jobId: string): Promise<JobPlan> {
  const { job, published } = await endedJob(context, jobId);
  const from: readonly JobState[] = transitions.requeue.from;
  if (!from.includes(job.state)) throw new JobStateError(idText("job", jobId), job.state, whyNotRequeued(job.state));
  const { codeHash } = job.options;
  if (codeHash !== undefined) refuseOtherCode(jobId, codeHash, published);
  return await planJob(context, job, jobId);
}
