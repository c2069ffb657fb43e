import type { RunEvent, RuntimeMessage } from "./protocol.ts";

/** How far a run is, as far as its events tell: what is needed to judge a run whose process cannot say how it ended. */
export class Progress {
  events = 0;
  nodeStarted = false;
  #ended = false;
  readonly #open = new Map<string, OpenNode>();

  /** Notes a message, or says what is wrong with it. */
  see(message: RuntimeMessage, run: string): string | null {
    if (message.type !== "event" && message.type !== "ended") return `it sent "${message.type}" during a run`;
    if (message.run !== run) return `it sent "${message.type}" of another run`;
    if (this.#ended) return `it sent "${message.type}" after the end of the run`;
    if (message.type === "ended") {
      this.#ended = true;
      if (message.events !== this.events) return `it told of ${message.events} events and sent ${this.events}`;
      if ((message.outcome === "failed") !== (message.error !== null))
        return `it ended as ${message.outcome} with the opposite error`;
      return null;
    }
    this.events += 1;
    if (message.seq !== this.events) return `it sent event ${message.seq} in place of ${this.events}`;
    this.#follow(message.body);
    return null;
  }

  /** The node that is being executed; null when it is none, or one of several. */
  get onlyOpenNode(): OpenNode | null {
    const [open] = this.#open.values();
    return this.#open.size === 1 && open !== undefined ? open : null;
  }

  /** The names of all that are being executed; those of a branch once. */
  get openNodes(): string[] {
    return [...new Set([...this.#open.values()].map(({ node }) => node))];
  }

  #follow(body: RunEvent): void {
    if (body.event === "node.started") {
      this.nodeStarted = true;
      this.#open.set(JSON.stringify([body.node, body.branch]), { node: body.node, branch: body.branch });
    } else if (body.event === "node.succeeded" || body.event === "node.failed") {
      this.#open.delete(JSON.stringify([body.node, body.branch]));
    }
  }
}

export interface OpenNode {
  node: string;
  branch: string | null;
}
