import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Environment } from "./environment.ts";
import { RuntimeStartError } from "./errors.ts";
import { type Exit, exitText } from "./exit.ts";
import { guardGroup } from "./guard.ts";
import { LineReader, maxLineBytes } from "./lines.ts";
import { makeFirstToGo } from "./memory.ts";
import { messageSchema, protocolVersion, type RuntimeMessage, type RuntimeRequest } from "./protocol.ts";
import { RecentOutput } from "./recent-output.ts";

export interface ChildOptions {
  /** Path of the interpreter. */
  python: string;
  /** The project's folder, also the working directory. */
  dir: string;
  env: Environment;
  /** Imports from a cold disk take their time; after this it is taken for hung. */
  readyMs?: number;
  maxLineBytes?: number;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
  /** Arguments of the interpreter, instead of those that start our runtime. */
  entry?: readonly string[];
}

export type ReadyMessage = Extract<RuntimeMessage, { type: "ready" }>;
export type Receive = (message: RuntimeMessage, bytes: number) => void;

/** Starts a Python process for a project, and resolves when it is ready for requests. */
export async function startChild(options: ChildOptions): Promise<RuntimeChild> {
  const { python, dir, env, readyMs = 60_000, entry = runtimeEntry(dir) } = options;
  if (!existsSync(dir)) throw new RuntimeStartError("PROJECT_BROKEN", `The project folder ${dir} does not exist.`);
  const child = spawn(python, entry, {
    cwd: dir,
    env,
    // A session of its own: a signal to our group (Ctrl-C, systemd, Docker) is ours to pass on, and all of it is killed as one.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  if (child.pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once("error", resolve));
    throw new RuntimeStartError("PYTHON_MISSING", `${python} cannot be started: ${cause.message}.`, null, { cause });
  }
  const runtime = new RuntimeChild(child, child.pid, options.maxLineBytes ?? maxLineBytes);
  makeFirstToGo(child.pid);
  const giveUp = () => runtime.kill();
  options.signal?.addEventListener("abort", giveUp, { once: true });
  try {
    await runtime.becomeReady(readyMs, python);
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
  return runtime;
}

/** The package lies beside our code and is put behind the project's own packages, never among them. */
function runtimeEntry(dir: string): string[] {
  const packages = join(import.meta.dirname, "../../python");
  return ["-c", start, packages, "--project", dir, "--requests-fd", "3", "--events-fd", "4"];
}

/** A crash in native code writes where it was to a descriptor of its own: standard error becomes the pipeline's. */
const start = `
import faulthandler, os, sys
faulthandler.enable(os.dup(2))
sys.path.append(sys.argv.pop(1))
from flowerpower_job_queue.main import main
sys.exit(main())`;

/** One Python process: its messages, its end, and the ways to end it. Nothing that it does is thrown at who holds it. */
export class RuntimeChild {
  readonly pid: number;
  /** Settles once, when the process has gone and everything that it sent has been received. */
  readonly exited: Promise<Exit>;
  /** Set as soon as the process has ended. */
  exit: Exit | null = null;
  readonly #requests: Duplex;
  readonly #exitListeners = new Set<(exit: Exit) => void>();
  readonly #errors = new RecentOutput();
  #ready: ReadyMessage | null = null;
  #receive: Receive | null = null;
  #fault: string | null = null;

  constructor(child: ChildProcess, pid: number, lineLimit: number) {
    this.pid = pid;
    const [, stdout, stderr, requests, events] = child.stdio as [null, Duplex, Duplex, Duplex, Duplex];
    this.#requests = requests;
    requests.on("error", () => {}); // a request to a process that has just ended: its exit says so
    requests.resume();
    this.#errors.read(stderr);
    stdout.on("error", () => {}).resume();
    this.#readMessages(events, lineLimit);
    const forget = guardGroup(pid);
    this.exited = new Promise((resolve) => {
      child.once("exit", async (code, signal) => {
        // What the process has started goes with it, and lets go of the pipe, so that its end can be seen.
        this.kill();
        forget();
        if (!events.readableEnded) {
          const end = new Promise((ended) => events.once("end", ended));
          await Promise.race([end, delay(1000, null, { ref: false })]);
        }
        // A process that has left the group may still hold it open.
        for (const stream of [stdout, stderr, requests, events]) stream.destroy();
        this.exit = { code, signal, fault: this.#fault };
        resolve(this.exit);
        for (const listener of this.#exitListeners) listener(this.exit);
      });
    });
  }

  /** Versions of what serves here. */
  get ready(): ReadyMessage {
    if (this.#ready === null) throw new Error("The runtime is not ready.");
    return this.#ready;
  }

  /** The last lines of its standard error: what it says when it crashes. */
  get lastErrors(): string | null {
    return this.#errors.lastLines();
  }

  /** Sends a request and gives every message to `receive`, in the moment it comes, until the returned function is called. */
  converse(request: RuntimeRequest, receive: Receive): () => void {
    if (this.#receive !== null) throw new Error("A runtime does one thing at a time.");
    this.#receive = receive;
    this.send(request);
    return () => {
      if (this.#receive === receive) this.#receive = null;
    };
  }

  send(request: RuntimeRequest): void {
    if (this.#requests.writable) this.#requests.write(`${JSON.stringify(request)}\n`);
  }

  /**
   * Tells of the end until the returned function is called. For what is over long before the process is: whoever waits for
   * `exited` is held in memory until then, with all that it knows.
   */
  onExit(listener: (exit: Exit) => void): () => void {
    if (this.exit !== null) listener(this.exit);
    else this.#exitListeners.add(listener);
    return () => this.#exitListeners.delete(listener);
  }

  /** Raises KeyboardInterrupt, and does what Ctrl-C does to the programs that the pipeline has started. */
  interrupt(): void {
    if (this.exit === null) signalGroup(this.pid, "SIGINT");
  }

  /** Ends the process and all that it has started, at once. `exited` tells when that has happened. */
  kill(): void {
    // Afterwards the number may be somebody else's.
    if (this.exit === null) signalGroup(this.pid, "SIGKILL");
  }

  /** Kills a process that does not keep to the protocol. */
  fail(fault: string): void {
    this.#fault ??= fault;
    this.kill();
  }

  /** Lets an idle process leave by itself, and kills it when it does not. */
  async shutdown(graceMs: number): Promise<Exit> {
    this.send({ v: protocolVersion, type: "shutdown" });
    const timer = setTimeout(() => this.kill(), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** Waits for the first message. Anything but `ready` is the end of the process, and thrown. */
  async becomeReady(readyMs: number, python: string): Promise<void> {
    const first = Promise.withResolvers<RuntimeMessage>();
    this.#receive = first.resolve;
    const late = new AbortController();
    const message = await Promise.race([
      first.promise,
      this.exited.then(() => null),
      delay(readyMs, "late" as const, late),
    ]);
    late.abort();
    this.#receive = null;
    if (message !== "late" && message?.type === "ready") {
      this.#ready = message;
      return;
    }
    this.kill();
    const exit = await this.exited;
    if (message === "late") {
      const problem = `${python} was not ready within ${readyMs / 1000} s.${this.#said()}`;
      throw new RuntimeStartError("RUNTIME_SILENT", problem);
    }
    if (message?.type === "unready") throw new RuntimeStartError(message.code, message.message, message.hint);
    const what = message === null ? exitText(exit) : `sent "${message.type}" before it was ready`;
    throw new RuntimeStartError("RUNTIME_DIED", `The Python process ${python} ${what}.${this.#said()}`);
  }

  #said(): string {
    const said = this.#errors.lastLines(10);
    return said === null ? "" : ` It said:\n${said}`;
  }

  #readMessages(events: Duplex, lineLimit: number): void {
    const reader = new LineReader(lineLimit);
    events.on("error", () => {}); // its end is told by the process's exit
    events.on("data", (chunk: Buffer) => {
      for (const [message, bytes] of this.#parse(reader, chunk)) {
        // After a fault nothing that the process says is believed.
        if (this.#fault !== null) return;
        this.#take(message, bytes);
      }
    });
  }

  *#parse(reader: LineReader, chunk: Buffer): Generator<[RuntimeMessage, bytes: number]> {
    try {
      for (const line of reader.push(chunk)) yield [parseMessage(line), line.length];
    } catch (error) {
      this.fail(`it does not speak the protocol: ${(error as Error).message}`);
    }
  }

  #take(message: RuntimeMessage, bytes: number): void {
    if (message.type === "fault") this.fail(`it is at fault: ${message.message}\n${message.traceback}`);
    else if (this.#receive === null) this.fail(`it sent "${message.type}" without being asked`);
    else this.#receive(message, bytes);
  }
}

function parseMessage(line: string): RuntimeMessage {
  const parsed = messageSchema.safeParse(JSON.parse(line));
  if (parsed.success) return parsed.data;
  throw new Error(`${z.prettifyError(parsed.error)} in ${line.slice(0, 200)}`);
}

/** A group of which nobody is left is what was wanted. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
