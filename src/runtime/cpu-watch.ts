import { openProcessGroup } from "./process-group.ts";

/** Less than this part of the time between two looks is no work: what waits wakes up now and then. */
const leastPart = 0.01;
/** Two ticks of the kernel's clock. */
const leastMs = 20;

/** Tells again and again when the processes of a group have used processor time since it looked before. */
export class CpuWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #before: number | null = null;
  #looking = false;

  constructor(group: number, everyMs: number, onUsed: () => void) {
    const processes = openProcessGroup(group);
    const look = async () => {
      const used = (await processes.processes()).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
      const before = this.#before ?? used;
      this.#before = used;
      // A process that has ended takes its time with it: less than before is a change too.
      if (Math.abs(used - before) >= Math.max(leastMs, everyMs * leastPart)) onUsed();
    };
    this.#timer = setInterval(() => {
      if (this.#looking) return;
      this.#looking = true;
      // What cannot be seen is no progress, and none of this watch's business.
      look()
        .catch(() => {})
        .finally(() => {
          this.#looking = false;
        });
    }, everyMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
