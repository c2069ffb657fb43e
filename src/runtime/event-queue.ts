import type { RunEvent, RuntimeMessage } from "./protocol.ts";
import { Spool } from "./spool.ts";

/** What a run told: `seq` counts from 1 and grows within the run; it has gaps only where log lines were left out. */
export type NumberedEvent = Pick<Extract<RuntimeMessage, { type: "event" }>, "seq" | "at" | "body">;

export interface QueueLimits {
  /** Folder for what does not fit into memory. Made when it is needed. */
  spoolDir: string;
  memoryBytes?: number;
  /** Bytes of the file from which on log lines are left out. Facts about nodes never are. */
  spoolBytes?: number;
  /** A batch is handed out when it is this old, or this long. */
  batchMs?: number;
  batchEvents?: number;
}

/**
 * Events between a run that never waits and a consumer that may be slow: in memory first, then in a file. Its memory is
 * bounded, its order kept, and only log lines are ever left out, which is an event of its own with their count.
 */
export class EventQueue implements Disposable {
  readonly #limits: Required<QueueLimits>;
  #memory: Waiting[] = [];
  #memoryBytes = 0;
  #spool: Spool | null = null;
  /** What the file did not take (a full disk), newer than all that is in it. */
  #tail: Waiting[] = [];
  #left: { lines: number; bytes: number; seq: number; at: string } | null = null;
  #ended = false;
  #wakeAt = 0;
  #wake: (() => void) | null = null;

  constructor(limits: QueueLimits) {
    this.#limits = {
      memoryBytes: 4 * 1024 * 1024,
      spoolBytes: 64 * 1024 * 1024,
      batchMs: 5,
      batchEvents: 200,
      ...limits,
    };
  }

  /** Adds an event whose message had `bytes` bytes. */
  push({ seq, at, body }: NumberedEvent, bytes: number): void {
    const event = { seq, at, body };
    const full = this.#tail.length > 0 || this.#spooled() + bytes > this.#limits.spoolBytes;
    if (body.event === "log" && full) {
      this.#leaveOut(event, bytes);
    } else {
      this.#tellWhatWasLeftOut();
      this.#add(event, bytes);
    }
  }

  /** No event will follow. */
  end(): void {
    this.#tellWhatWasLeftOut();
    this.#ended = true;
    this.#wake?.();
  }

  /** The next batch, oldest first; null after the last one. */
  async next(): Promise<NumberedEvent[] | null> {
    await this.#until(1);
    if (this.#memory.length === 0 && !this.#isBehind()) return null;
    await this.#until(this.#limits.batchEvents, this.#limits.batchMs);
    if (this.#memory.length === 0) this.#fetch();
    const batch = this.#memory.splice(0, this.#limits.batchEvents);
    for (const { bytes } of batch) this.#memoryBytes -= bytes;
    return batch.map(({ event }) => event);
  }

  [Symbol.dispose](): void {
    this.#spool?.close();
    this.#spool = null;
  }

  #add(event: NumberedEvent, bytes: number): void {
    // Once anything waits outside all that is newer goes there too, or it would overtake.
    if (this.#isBehind() || this.#memoryBytes + bytes > this.#limits.memoryBytes) {
      this.#setAside(event, bytes);
    } else {
      this.#memory.push({ event, bytes });
      this.#memoryBytes += bytes;
    }
    if (this.#memory.length >= this.#wakeAt || this.#isBehind()) this.#wake?.();
  }

  #setAside(event: NumberedEvent, bytes: number): void {
    if (this.#tail.length === 0 && this.#write(event)) return;
    if (event.body.event === "log") this.#leaveOut(event, bytes);
    else this.#tail.push({ event, bytes });
  }

  /** False when the disk does not take it. A run does not fail for that. */
  #write(event: NumberedEvent): boolean {
    try {
      this.#spool ??= new Spool(this.#limits.spoolDir);
      this.#spool.push(JSON.stringify(event));
      return true;
    } catch {
      return false;
    }
  }

  #fetch(): void {
    const lines = this.#spool?.shift() ?? [];
    if (lines.length === 0) {
      this.#memory = this.#tail;
      this.#tail = [];
    } else {
      this.#memory = lines.map((line) => ({ event: JSON.parse(line) as NumberedEvent, bytes: line.length }));
    }
    this.#memoryBytes = this.#memory.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #leaveOut({ seq, at }: NumberedEvent, bytes: number): void {
    this.#left = { lines: (this.#left?.lines ?? 0) + 1, bytes: (this.#left?.bytes ?? 0) + bytes, seq, at };
  }

  /** In place of the last line that was left out, whose number is free. */
  #tellWhatWasLeftOut(): void {
    if (this.#left === null) return;
    const { lines, bytes, seq, at } = this.#left;
    this.#left = null;
    const body: RunEvent = {
      event: "log.dropped",
      data: { lines, bytes, reason: "written faster than it could be stored" },
    };
    this.#add({ seq, at, body }, JSON.stringify(body).length);
  }

  #spooled(): number {
    return this.#spool?.bytes ?? 0;
  }

  #isBehind(): boolean {
    return this.#spooled() > 0 || this.#tail.length > 0;
  }

  /** Waits for `count` events in memory, any outside, the end, or the time. */
  async #until(count: number, ms?: number): Promise<void> {
    if (this.#ended || this.#memory.length >= count || this.#isBehind()) return;
    this.#wakeAt = count;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (ms === undefined) await promise;
    else {
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
    }
    this.#wake = null;
  }
}

interface Waiting {
  event: NumberedEvent;
  bytes: number;
}
