import { randomUUID } from "node:crypto";
import type { Database } from "../db/client.ts";
import { Listener, type ListenerHealth, type ListenerTimes } from "./listener.ts";

/** What somebody may have to look at again: events of jobs, requested cancels, due jobs, pipelines to be described, workers, batches. */
export type Topic = "events" | "cancel" | "admit" | "describe" | "worker" | "batch";
const topics: readonly Topic[] = ["events", "cancel", "admit", "describe", "worker", "batch"];

/** Called with the ids of jobs (of workers for "worker", of batches for "batch") to look at, or null: look everywhere. Must return at once and never throw. */
export type WakeupListener = (jobIds: readonly string[] | null) => void;

export interface Subscription extends Disposable {
  close(): void;
}

export interface WakeupsHealth extends ListenerHealth {
  /** Since the last notice of any process, our own included; null before the first. */
  lastNoticeAgeMs: number | null;
  /** Notices that could not be sent: those who missed them have looked by themselves. */
  failedNotices: number;
  subscribers: number;
}

/**
 * Tells the processes on one database to look again. A wake-up carries no truth and may be lost or come twice: whoever
 * subscribes also looks by itself every two seconds.
 */
export interface Wakeups extends AsyncDisposable {
  /**
   * To be called after the commit of what there is to see, never inside its transaction. Without ids: look everywhere.
   * Subscribers in this process are called at once, other processes hear of it within milliseconds. Never throws.
   */
  ring(topic: Topic, jobIds?: readonly string[]): void;
  /** The same within this process alone: where it sees to it itself, and others would only find it done. */
  ringHere(topic: Topic): void;
  subscribe(topic: Topic, listener: WakeupListener): Subscription;
  health(): WakeupsHealth;
  /** Sends what has been rung, then lets go of the connection. */
  close(): Promise<void>;
}

export interface WakeupsOptions extends ListenerTimes {
  /** Least time between two notices of this process: NOTIFY takes a lock of the whole cluster at commit. */
  gapMs?: number;
}

const channel = "flowerpower_wakeups";
/** Postgres refuses a notice of 8,000 bytes; an id has 36 and a space. */
const mostIds = 200;
const everywhere = "*";

/** Opens this process's wake-ups. Fails when the database cannot be reached; lost later, the connection comes back. */
export async function openWakeups(db: Pick<Database, "sql" | "url">, options: WakeupsOptions = {}): Promise<Wakeups> {
  const self = randomUUID().slice(0, 8);
  const subscribers = new Map<Topic, Set<WakeupListener>>(topics.map((topic) => [topic, new Set()]));
  const notices = new Notices(db, self, options.gapMs ?? 2);
  let lastNoticeAt: number | null = null;

  const tell = (topic: Topic, jobIds: readonly string[] | null) => {
    for (const listener of subscribers.get(topic) ?? []) listener(jobIds);
  };
  const listener = new Listener(
    db.url,
    channel,
    {
      notice(payload) {
        lastNoticeAt = performance.now();
        const [sender, topic, ...jobIds] = payload.split(" ");
        if (sender === self) return; // told when it was rung
        tell(topic as Topic, jobIds[0] === everywhere ? null : jobIds);
      },
      reconnected() {
        for (const topic of topics) tell(topic, null);
      },
    },
    options,
  );
  await listener.open();

  const close = async () => {
    await notices.close();
    listener.close();
  };
  return {
    ring(topic, jobIds) {
      if (jobIds?.length === 0) return;
      tell(topic, jobIds ?? null);
      notices.add(topic, jobIds ?? null);
    },
    ringHere: (topic) => tell(topic, null),
    subscribe(topic, listener) {
      // Wrapped, so that two subscriptions of one function are two.
      const own: WakeupListener = (jobIds) => listener(jobIds);
      subscribers.get(topic)?.add(own);
      const close = () => void subscribers.get(topic)?.delete(own);
      return { close, [Symbol.dispose]: close };
    },
    health: () => ({
      ...listener.health,
      lastNoticeAgeMs: lastNoticeAt === null ? null : performance.now() - lastNoticeAt,
      failedNotices: notices.failed,
      subscribers: subscribers.values().reduce((sum, listeners) => sum + listeners.size, 0),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What this process has to tell the others: the first at once, then all that came together in the meantime. */
class Notices {
  readonly #db: Pick<Database, "sql">;
  readonly #sender: string;
  readonly #gapMs: number;
  /** Null: everywhere. */
  #waiting = new Map<Topic, Set<string> | null>();
  #sending: Promise<void> | null = null;
  #closed = false;
  failed = 0;

  constructor(db: Pick<Database, "sql">, sender: string, gapMs: number) {
    this.#db = db;
    this.#sender = sender;
    this.#gapMs = gapMs;
  }

  add(topic: Topic, jobIds: readonly string[] | null): void {
    if (this.#closed) return;
    const waiting = this.#waiting.get(topic);
    if (waiting !== null) {
      const ids = jobIds === null ? null : new Set(waiting).union(new Set(jobIds));
      this.#waiting.set(topic, ids !== null && ids.size <= mostIds ? ids : null);
    }
    this.#sending ??= this.#sendAll();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const payloads = [...this.#waiting].map(([topic, jobIds]) => this.#payload(topic, jobIds));
      this.#waiting.clear();
      const gap = this.#closed ? null : pause(this.#gapMs);
      await this.#send(payloads);
      await gap;
    }
    this.#sending = null;
  }

  async #send(payloads: string[]): Promise<void> {
    try {
      await this.#db.sql`select pg_notify(${channel}, payload) from unnest(${payloads}::text[]) as payload`;
    } catch {
      this.failed += payloads.length; // whoever should have heard of it looks by itself
    }
  }

  #payload(topic: Topic, jobIds: Set<string> | null): string {
    return `${this.#sender} ${topic} ${jobIds === null ? everywhere : [...jobIds].join(" ")}`;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
