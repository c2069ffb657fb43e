import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { ArtifactMissingError, StoreAwayError, StoreUnusableError } from "./store.ts";

export interface StoreProcessOptions {
  /** The interpreter. */
  python: string;
  environment(): Readonly<Record<string, string>>;
  /** The folder with our Python package. */
  packages: string;
}

/** A request of the store; what a path names is told when it is missing. */
type Request = { do: string; path?: string } & Record<string, unknown>;

interface Waiter {
  path: string;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A question without an answer for so long is given up. */
const answerMs = 60_000;

/** The first line says whether the store could be opened, each other one answers a question. */
const helloSchema = z.object({ ready: z.boolean(), error: z.string().optional() });
const answerSchema = z.object({
  id: z.number(),
  answer: z.unknown().optional(),
  error: z.string().optional(),
  missing: z.boolean().optional(),
});

/**
 * The Python process that speaks to one store (`store_server.py`). Started when it is first asked, and again when it has died.
 */
export class StoreProcess {
  readonly #url: string;
  readonly #options: StoreProcessOptions;
  readonly #waiters = new Map<number, Waiter>();
  #child: { process: ChildProcess; ready: Promise<void> } | null = null;
  #last = 0;
  #closed = false;

  constructor(url: string, options: StoreProcessOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** Throws StoreUnusableError, StoreAwayError, or an ArtifactMissingError for a path that is not there. */
  async ask<Answer>(request: Request, schema: z.ZodType<Answer>): Promise<Answer> {
    if (this.#closed) throw new StoreAwayError(this.#url, "it was closed.");
    this.#child ??= this.#start();
    const { process, ready } = this.#child;
    await ready;
    this.#last += 1;
    const id = this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiters.set(id, { path: request.path ?? "", resolve, reject });
    const timer = setTimeout(
      () => this.#settle(id)?.reject(new StoreAwayError(this.#url, "it took too long.")),
      answerMs,
    );
    process.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    try {
      return schema.parse(await promise);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const process = this.#child?.process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const gone = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGKILL");
    await gone;
  }

  #start(): { process: ChildProcess; ready: Promise<void> } {
    const { python, packages, environment } = this.#options;
    const process = spawn(python, ["-c", entry, packages, this.#url], {
      env: environment(),
      stdio: ["pipe", "pipe", "ignore"],
    });
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    ready.catch(() => {}); // thrown to who asks
    const ended = (reason: string) => {
      if (this.#child?.process === process) this.#child = null;
      reject(new StoreAwayError(this.#url, reason));
      for (const id of [...this.#waiters.keys()]) this.#settle(id)?.reject(new StoreAwayError(this.#url, reason));
    };
    process.on("error", (error) => ended(`${python} cannot be started: ${error.message}.`));
    process.on("exit", (code, signal) => ended(`its Python process ended (${signal ?? code}).`));
    process.stdin?.on("error", () => {}); // its end follows
    createInterface({ input: process.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const message: unknown = JSON.parse(line);
      const hello = helloSchema.safeParse(message);
      if (!hello.success) this.#take(answerSchema.parse(message));
      else if (hello.data.ready) resolve();
      else reject(new StoreUnusableError(this.#url, hello.data.error ?? "no reason is known."));
    });
    return { process, ready };
  }

  #take({ id, answer, error, missing }: z.infer<typeof answerSchema>): void {
    const waiter = this.#settle(id);
    if (waiter === null) return;
    if (error === undefined) waiter.resolve(answer);
    else waiter.reject(missing ? new ArtifactMissingError(waiter.path) : new StoreAwayError(this.#url, `${error}.`));
  }

  #settle(id: number): Waiter | null {
    const waiter = this.#waiters.get(id) ?? null;
    this.#waiters.delete(id);
    return waiter;
  }
}

const entry = `
import sys
sys.path.append(sys.argv.pop(1))
from flowerpower_job_queue.store_server import main
sys.exit(main())`;
