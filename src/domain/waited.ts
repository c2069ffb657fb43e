/**
 * Milliseconds that a job has waited: from when it was due, or was enqueued when that was later, to its first start. Of one
 * that was tried again from its creation: when it was first due is no longer known.
 */
export function waitedMs(job: {
  createdAt: Date;
  runAt: Date;
  startedAt: Date | null;
  attempt: number;
}): number | null {
  const { createdAt, runAt, startedAt, attempt } = job;
  if (startedAt === null) return null;
  const dueAt = attempt > 1 ? createdAt.getTime() : Math.max(createdAt.getTime(), runAt.getTime());
  return Math.max(0, startedAt.getTime() - dueAt);
}
