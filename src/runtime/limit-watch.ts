import { type Exceeded, exceededBy, type RunLimits, type Usage } from "../domain/run-limits.ts";
import { openProcessGroup, type ProcessGroup, type ProcessUsage } from "./process-group.ts";

/** Between two looks: what a run takes within it beyond a limit is not kept from it. */
export const limitLookMs = 100;

/** The clock of the kernel counts in hundredths of a second. */
const inexactMs = 20;

/**
 * Looks again and again at what a run uses, over all processes of its group, and says once that it is beyond a limit.
 * The clock is here and not in Python: a call into C that holds Python's lock would stop it. Without a limit nobody looks.
 */
export class LimitWatch implements Disposable {
  readonly #limits: RunLimits;
  readonly #onExceeded: (exceeded: Exceeded) => void;
  #onUnseen: ((error: unknown) => void) | null;
  readonly #group: ProcessGroup;
  readonly #beganAt = performance.now();
  /** Processor time that each process had used before the run. */
  readonly #before = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    group: number,
    limits: RunLimits,
    onExceeded: (exceeded: Exceeded) => void,
    /** Told once when what is used cannot be seen; it is looked at again and again all the same. */
    onUnseen: (error: unknown) => void = () => {},
    open: (group: number) => ProcessGroup = openProcessGroup,
  ) {
    this.#limits = limits;
    this.#onExceeded = onExceeded;
    this.#onUnseen = onUnseen;
    this.#group = open(group);
    if (limits.memory === null && limits.cpu === null) {
      this.#over = true;
      return;
    }
    const leader = this.#group.leader();
    if (leader !== null) this.#before.set(leader.pid, leader.cpuMs);
    // Most runs are over before the first look. Where nothing is known yet of what was used before them it is now.
    this.#lookIn(leader === null ? 0 : limitLookMs);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#look().catch((error: unknown) => {
        if (this.#over) return;
        this.#onUnseen?.(error);
        this.#onUnseen = null;
        // Too many open files, a machine without memory: the next look may see again.
        this.#lookIn(limitLookMs);
      });
    }, ms);
  }

  async #look(): Promise<void> {
    const usage = await this.#usage(await this.#group.processes());
    if (this.#over) return;
    const exceeded = exceededBy(this.#limits, usage);
    if (exceeded === null) return this.#lookIn(limitLookMs);
    this.#over = true;
    this.#onExceeded(exceeded);
  }

  async #usage(processes: readonly ProcessUsage[]): Promise<Usage> {
    const elapsedMs = performance.now() - this.#beganAt;
    for (const { pid, cpuMs, ageMs } of processes) {
      // One that is older than the run was left behind by an earlier one.
      if (!this.#before.has(pid)) this.#before.set(pid, ageMs > elapsedMs + inexactMs ? cpuMs : 0);
    }
    const cpuMs = sum(processes.map((each) => each.cpuMs)) - sum([...this.#before.values()]);
    return { memoryBytes: await this.#memoryBytes(processes), cpuMs: Math.max(0, cpuMs) };
  }

  /** What a forked process shares with its parent is counted in both: looked at closely, for that costs, only when it matters. */
  async #memoryBytes(processes: readonly ProcessUsage[]): Promise<number> {
    const atMost = sum(processes.map(({ residentBytes }) => residentBytes));
    const { memory } = this.#limits;
    if (memory === null || atMost <= memory.most || processes.length < 2) return atMost;
    return (await this.#group.withoutSharedTwice(processes)) ?? atMost;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
