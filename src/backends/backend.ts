import type postgres from "postgres";
import type { Sql } from "../db/client.ts";

/** A piece of SQL that becomes part of the caller's statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** What a backend can do by itself; what it cannot is done by us, so this is for the docs and the conformance suite. */
export interface Capabilities {
  /** Tickets are stored in the transaction that makes them necessary. */
  transactional: boolean;
  /** A ticket can be taken back while no worker has it. */
  withdraw: boolean;
}

/**
 * What brings due tickets to workers. A backend knows jobs only as ids with an attempt number: their states, retries,
 * timeouts and schedules are ours, on every backend.
 */
export interface Backend {
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * The body of a CTE that adds one ticket for each row of `rows`: a relation with the columns id (uuid), attempt (the one
   * before the attempt that the ticket is for), project, queue, needs, priority and run_at of `jobs`. It adds nothing for no rows.
   */
  tickets(sql: Sql, rows: Fragment): Fragment;
  /** The body of a CTE that takes back the tickets of `rows` (columns id and attempt). A ticket in a worker's hands is void. */
  withdraw(sql: Sql, rows: Fragment): Fragment;
  /**
   * A condition on a row `j` of jobs: its ticket exists, waiting or in a worker's hands for less than `heldMs`. One that was
   * held for longer and not started is as good as lost: the answer to who took it may have been.
   */
  hasTicket(sql: Sql, heldMs: number): Fragment;
  /**
   * Takes away the tickets that `holders` have (names that a backend's workers lock tickets by), and tells which they were:
   * a ticket that was in the hands of a dead worker is not used a second time, because that worker may still come back
   * and remove it.
   */
  reclaim(sql: Sql, holders: readonly string[]): Promise<{ id: string; attempt: number }[]>;
  /** Clears away tickets that nobody can take any more: void ones that a worker has given back. */
  sweep(sql: Sql): Promise<void>;
  /** Who has held tickets for longer than `forMs`. */
  holders(sql: Sql, forMs: number): Promise<string[]>;
  /** Tickets by lane: waiting ones, and those that workers have. */
  depths(sql: Sql): Promise<{ lane: string; waiting: number; taken: number }[]>;
}
