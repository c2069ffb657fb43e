/** What a run may use, over all its processes. Null: as much as there is. */
export interface RunLimits {
  /** In bytes. */
  memory: Limit | null;
  /** In milliseconds of processor time. */
  cpu: Limit | null;
}

export interface Limit {
  most: number;
  /** Where it is written: a file with its key. */
  source: string;
}

export const noRunLimits: RunLimits = { memory: null, cpu: null };

/** What a run has used at one moment. */
export interface Usage {
  memoryBytes: number;
  cpuMs: number;
}

/** A limit that a run has gone beyond. */
export interface Exceeded {
  resource: keyof RunLimits;
  limit: Limit;
  used: number;
}

/** The limit that this goes beyond; null when it stays within all of them. */
export function exceededBy({ memory, cpu }: RunLimits, { memoryBytes, cpuMs }: Usage): Exceeded | null {
  if (memory !== null && memoryBytes > memory.most) return { resource: "memory", limit: memory, used: memoryBytes };
  if (cpu !== null && cpuMs > cpu.most) return { resource: "cpu", limit: cpu, used: cpuMs };
  return null;
}

/** `2 GB`, `512 MB`, `2.07 GB`: exact enough to tell a limit from what has just gone beyond it. */
export function memoryText(bytes: number): string {
  return bytes < 1e9 ? `${rounded(bytes / 1e6, 1)} MB` : `${rounded(bytes / 1e9, 2)} GB`;
}

/** `0.5 s`, `61.2 s`, `600 s`. */
export function cpuText(ms: number): string {
  return `${rounded(ms / 1000, 2)} s`;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
