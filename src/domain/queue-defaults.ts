import type { RetryRequest } from "./run-request.ts";

/** What jobs of a queue are run with where neither their request nor their pipeline says otherwise. Absent: the queue says nothing. */
export interface QueueDefaults {
  priority?: number;
  timeoutMs?: number;
  /** Not started so long after it was due, a job expires. */
  ttlMs?: number;
  retry?: RetryRequest;
  onWorkerLost?: "retry" | "fail";
  /** Labels that a worker must have. */
  needs?: string[];
}
