import { idText, uuidOf } from "../domain/ids.ts";

/**
 * An attempt's folder within a store: `<epoch>/2026-11-23/job_….1.<run token>`. Below the database's own epoch, because a store
 * may serve several, and each sweeps only what is its own; by day, so that no folder holds a million others.
 */
export function attemptFolder(
  of: { jobId: string; attempt: number; runToken: string },
  place: { epoch: string; nowMs: number },
): string {
  const day = new Date(place.nowMs).toISOString().slice(0, 10);
  return `${place.epoch}/${day}/${idText("job", of.jobId)}.${of.attempt}.${of.runToken}`;
}

/** Whose folder it is, by its own name; null when it is nobody's. */
export function attemptOf(folder: string): { jobId: string; attempt: number; runToken: string } | null {
  const [, job = "", attempt = "", runToken = ""] =
    /^(job_\w+)\.(\d{1,9})\.([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/.exec(folder) ?? [];
  const jobId = uuidOf("job", job);
  return jobId === null ? null : { jobId, attempt: Number(attempt), runToken };
}

/** Whether it is a path that our runtimes make: relative, and nothing that leads upwards. */
export function isStorePath(path: string): boolean {
  return /^[\w.-]+(\/[\w.-]+)*$/.test(path) && !path.split("/").some((part) => /^\.+$/.test(part));
}
