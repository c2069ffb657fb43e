import { and, eq, gt, inArray, lt, lte, sql as query, type SQL } from "drizzle-orm";
import type { Sql } from "../db/client.ts";
import { jobs } from "../db/tables.ts";
import { written } from "../db/written.ts";
import type { JobState } from "../domain/lifecycle.ts";
import type { BulkVerb } from "../domain/operation.ts";
import { bulkVerbs } from "./bulk-act.ts";
import { idAfter, type JobFilter, jobCondition } from "./filter.ts";

/** Which jobs are meant by a filter to which something is to be done. */
export interface Meant {
  verb: BulkVerb;
  filter: JobFilter;
  /** Only jobs that were made at this time or before. */
  madeBy?: Date | undefined;
}

/** The next jobs that fit and to which it can be done, by their ids, after a given one. */
export async function nextJobs(sql: Sql, meant: Meant, after: string | null, limit: number): Promise<string[]> {
  const states = possibleStates(meant);
  if (states.length === 0) return [];
  const { text, values } = written(nextJobsQuery(meant, states, after, limit));
  return (await sql.unsafe<{ id: string }[]>(text, values)).map(({ id }) => id);
}

/** How many there are, counted up to a bound. */
export async function countJobs(sql: Sql, meant: Meant, bound: number): Promise<number> {
  const states = possibleStates(meant);
  if (states.length === 0) return 0;
  const { text, values } = written(
    query`select count(*)::int as count from (${nextJobsQuery(meant, states, null, bound)}) found`,
  );
  const [row] = await sql.unsafe<{ count: number }[]>(text, values);
  return row?.count ?? 0;
}

/** Those of some jobs that fit at this moment, locked until the transaction ends, in the order of their ids. */
export async function lockFitting(sql: Sql, meant: Meant, ids: readonly string[]): Promise<string[]> {
  const states = possibleStates(meant);
  if (states.length === 0 || ids.length === 0) return [];
  const lock = meant.verb === "delete" ? query`for update` : query`for no key update`;
  const { text, values } = written(query`
    select ${jobs.id} as id from ${jobs}
    where ${and(inArray(jobs.id, [...ids]), inArray(jobs.state, [...states]), conditionOf(meant, null))}
    order by ${jobs.id} ${lock} of ${query.identifier("jobs")}`);
  return (await sql.unsafe<{ id: string }[]>(text, values)).map(({ id }) => id);
}

/** Of jobs that were blocked and are cancelled: those that the filter had meant. */
export async function meantAmong(sql: Sql, meant: Meant, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0 || !possibleStates(meant).includes("blocked")) return [];
  const { states: _states, ...filter } = meant.filter;
  const { text, values } = written(query`
    select ${jobs.id} as id from ${jobs}
    where ${and(inArray(jobs.id, [...ids]), conditionOf({ ...meant, filter }, null))}`);
  return (await sql.unsafe<{ id: string }[]>(text, values)).map(({ id }) => id);
}

/**
 * Of each state the first ones, and of those the first: the indexes by state and id, by queue, state and id, and so on end in
 * the id, so that for one state they begin behind the given job and end with the limit. For several at once Postgres would read
 * and sort all that are left.
 */
function nextJobsQuery(meant: Meant, states: readonly JobState[], after: string | null, limit: number): SQL {
  const ofState = (state: JobState) => query`(
    select ${jobs.id} as id from ${jobs}
    where ${and(eq(jobs.state, state), after === null ? undefined : gt(jobs.id, after), conditionOf(meant, after))}
    order by ${jobs.id} limit ${limit})`;
  const each = query.join(states.map(ofState), query` union all `);
  return query`select id from (${each}) first_of_each order by id limit ${limit}`;
}

function possibleStates({ verb, filter }: Meant): JobState[] {
  const from: readonly JobState[] = bulkVerbs[verb].from;
  return from.filter((state) => filter.states === undefined || filter.states.includes(state));
}

/** All but the states. A cancel that was asked for already is not asked for again. */
function conditionOf({ verb, filter: { states: _states, ...filter }, madeBy }: Meant, after: string | null) {
  return and(
    jobCondition(filter, jobs, after),
    verb === "cancel" ? query`${jobs.cancelRequestedAt} is null` : undefined,
    madeBy === undefined ? undefined : and(lte(jobs.createdAt, madeBy), lt(jobs.id, idAfter(madeBy))),
  );
}
