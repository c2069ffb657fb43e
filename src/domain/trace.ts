import { createHash } from "node:crypto";

/** The id of the trace that a job is (W3C Trace Context, 32 hexadecimal digits): its id without the dashes, so it needs no place. */
export function traceIdOf(jobId: string): string {
  return jobId.replaceAll("-", "");
}

/** The header `traceparent` of one start of an attempt: a span of its own within the job's trace. */
export function traceparentOf(jobId: string, runToken: string): string {
  const span = createHash("sha256").update(`span ${runToken}`).digest("hex").slice(0, 16);
  return `00-${traceIdOf(jobId)}-${span}-01`;
}
