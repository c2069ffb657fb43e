import { cpuText, type Exceeded, memoryText } from "../domain/run-limits.ts";
import type { RunError } from "./run-error.ts";

/** As if the pipeline had raised it: whether it is tried again is for the retry's exceptions to say. */
export function errorOfLimit(
  { resource, limit, used }: Exceeded,
  nodes: readonly string[],
): Pick<RunError, "kind" | "type" | "message" | "classes" | "hint"> {
  const place = nodes.length === 0 ? "" : ` in ${nodes.length === 1 ? "node" : "the nodes"} ${nodes.join(", ")}`;
  if (resource === "memory") {
    return {
      kind: "PIPELINE",
      type: "MemoryLimitExceeded",
      // A MemoryError too: the next try would need as much, so there is none unless somebody names it.
      classes: [
        "flowerpower_job_queue.MemoryLimitExceeded",
        "builtins.MemoryError",
        "builtins.Exception",
        "builtins.BaseException",
      ],
      message: `The run held ${memoryText(used)} of memory${place}, more than its limit of ${memoryText(limit.most)}.`,
      hint: `Raise max_memory in ${limit.source}, or hold less at a time.`,
    };
  }
  return {
    kind: "PIPELINE",
    type: "CpuLimitExceeded",
    classes: ["flowerpower_job_queue.CpuLimitExceeded", "builtins.Exception", "builtins.BaseException"],
    message: `The run used ${cpuText(used)} of processor time${place}, more than its limit of ${cpuText(limit.most)}.`,
    hint: `Raise max_cpu in ${limit.source}, or compute less.`,
  };
}
