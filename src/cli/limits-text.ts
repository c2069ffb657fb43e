import { cpuText, memoryText, type RunLimits } from "../domain/run-limits.ts";

/** `at most 2 GB of memory (conf/project.yml: …), 60 s of processor time (…)`; null where there is no limit. */
export function limitsText({ memory, cpu }: RunLimits): string | null {
  const parts = [
    ...(memory === null ? [] : [`${memoryText(memory.most)} of memory (${memory.source})`]),
    ...(cpu === null ? [] : [`${cpuText(cpu.most)} of processor time (${cpu.source})`]),
  ];
  return parts.length === 0 ? null : `at most ${parts.join(", ")}`;
}
