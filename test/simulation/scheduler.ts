import type { Sql } from "../../src/db/client.ts";
import type { Random } from "./random.ts";

/** What happens to a step that is let go. */
export type Fate =
  | "done"
  /** The process dies before it, or after it without hearing of it. */
  | "dies before"
  | "dies after"
  /** The process dies while Postgres is at it: the statement goes on alone. */
  | "dies during"
  /** The connection breaks before it was sent, or before the answer came; the process lives. */
  | "not sent"
  | "answer lost";

interface Step {
  actor: Actor;
  label: string;
  fates: readonly Fate[];
  go(fate: Fate): void;
}

/** Somebody whose steps are scheduled. */
export interface Actor {
  readonly name: string;
  readonly dead: boolean;
  /** Stopped as by SIGSTOP: its steps wait. */
  stalled: boolean;
}

/**
 * Lets one step of all actors go at a time, chosen by the seed, and waits until nothing moves any more: every statement
 * under way has been answered, or waits for a lock that somebody else has. So a seed decides the order of all statements.
 */
export class Scheduler {
  readonly #random: Random;
  readonly #monitor: Sql;
  #steps: Step[] = [];
  #underWay = 0;
  #heard: () => void = () => {};
  /** Faults that may still happen, and how likely each step meets one. */
  faults = { left: 0, chance: 0 };
  readonly trace: string[] = [];

  constructor(random: Random, monitor: Sql) {
    this.#random = random;
    this.#monitor = monitor;
  }

  /** Resolves with its fate when the step is let go. */
  turn(actor: Actor, label: string, fates: readonly Fate[] = []): Promise<Fate> {
    return new Promise((resolve) => this.#steps.push({ actor, label, fates, go: resolve }));
  }

  /** Forgets the steps of a process that has died. */
  forget(actor: Actor): void {
    this.#steps = this.#steps.filter((step) => step.actor !== actor);
  }

  /** Something was sent to Postgres; the function is to be called when it is answered. */
  sent(): () => void {
    this.#underWay += 1;
    let answered = false;
    return () => {
      if (answered) return;
      answered = true;
      this.#underWay -= 1;
      this.#heard();
    };
  }

  note(text: string): void {
    this.trace.push(text);
  }

  /** Lets one step go. False when there is none that could. */
  async step(): Promise<boolean> {
    await this.settle();
    // In an order that does not depend on which of two answers came first.
    const ready = this.#steps.filter(({ actor }) => !actor.stalled).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    if (ready.length === 0) return false;
    const step = this.#random.pick(ready);
    this.#steps.splice(this.#steps.indexOf(step), 1);
    const fate = this.#fateOf(step);
    this.note(`${nameOf(step)}${fate === "done" ? "" : `  !! ${fate}`}`);
    step.go(fate);
    await this.settle();
    return true;
  }

  /** Steps that wait for their turn, of those who are not stopped. */
  get waiting(): number {
    return this.#steps.filter(({ actor }) => !actor.stalled).length;
  }

  #fateOf({ fates }: Step): Fate {
    if (fates.length === 0 || this.faults.left === 0 || !this.#random.chance(this.faults.chance)) return "done";
    this.faults.left -= 1;
    return this.#random.pick(fates);
  }

  /** Waits until all that can go on by itself has come to its next step. */
  async settle(): Promise<void> {
    const until = performance.now() + 20_000;
    for (let idleTurns = 0; idleTurns < 3; ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#underWay === 0) {
        idleTurns += 1;
        continue;
      }
      idleTurns = 0;
      if (await this.#allWaitForLocks()) return;
      if (performance.now() > until) throw new Error(`The schedule stands still:\n${this.trace.join("\n")}`);
    }
  }

  async #allWaitForLocks(): Promise<boolean> {
    const before = this.#underWay;
    // Most statements are answered within this time, and a look at the locks costs as much as a statement.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 4);
      this.#heard = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (this.#underWay !== before) return false;
    const [row] = await this.#monitor<{ waiting: number }[]>`
      select count(*)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
      where not l.granted and a.datname = current_database()`;
    return this.#underWay === before && row?.waiting === before;
  }
}

function nameOf({ actor, label }: Step): string {
  return `${actor.name}: ${label}`;
}
