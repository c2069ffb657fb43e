import type { Client, JobEvent } from "../client/client.ts";
import { JobTimeLeftDocument } from "../client/generated/graphql.ts";
import type { RunView } from "./run-view.ts";

/** What changes the time that is left by more than its passing. */
const turns = new Set<JobEvent["__typename"]>(["RunResolved", "NodeExpanded", "NodeStarted", "NodeSucceeded"]);
/** Events come faster than anybody reads times. */
const pauseMs = 500;

/** Keeps the time left in the picture of a job that is followed: asked for after events, and counted down in between. */
export class TimeLeft implements Disposable {
  readonly #client: Client;
  readonly #view: RunView;
  #timer: NodeJS.Timeout | null = null;
  #stale = false;
  readonly #over = new AbortController();

  constructor(client: Client, view: RunView) {
    this.#client = client;
    this.#view = view;
  }

  see(event: JobEvent): void {
    if (!turns.has(event.__typename)) return;
    this.#stale = true;
    if (this.#timer === null) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#stale = false;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#stale) void this.#ask();
    }, pauseMs);
    const id = this.#view.jobId;
    const signal = this.#over.signal;
    // Nobody's watching fails because a guess could not be made.
    const answer = await this.#client.request(JobTimeLeftDocument, { id }, { signal }).catch(() => null);
    const ms = answer?.job?.progress.leftMs ?? null;
    this.#view.left = ms === null ? null : { ms, at: Date.now() };
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stale = false;
  }
}
