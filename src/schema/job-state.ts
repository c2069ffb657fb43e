import type { JobState } from "../domain/lifecycle.ts";
import { builder } from "./builder.ts";

export const JobStateEnum = builder.enumType("JobState", {
  description: "Where a job is in its life.",
  values: {
    SCHEDULED: { value: "scheduled", description: "Due later." },
    BLOCKED: { value: "blocked", description: "Waits for other jobs." },
    QUEUED: { value: "queued", description: "Due, waits for a worker." },
    RUNNING: { value: "running", description: "An attempt is under way." },
    RETRYABLE: { value: "retryable", description: "The last attempt failed, the next is due later." },
    SUCCEEDED: { value: "succeeded", description: "Every final variable was computed." },
    FAILED: { value: "failed", description: "The last attempt failed and no further one is allowed." },
    CANCELLED: { value: "cancelled", description: "Stopped on request." },
    EXPIRED: { value: "expired", description: "Was not started before its time to live ended." },
  } as const satisfies { [S in JobState as Uppercase<S>]: { value: S; description: string } },
});
