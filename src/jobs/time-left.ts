import type { Database, Sql } from "../db/client.ts";
import { expanderOfBranch } from "../domain/branch.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";
import type { RunOptions } from "../domain/run-request.ts";
import type { NodeProgress } from "../domain/time-left.ts";
import { executorOf, type KnownExecutor } from "../pipelines/executor.ts";
import { expectedMs, leftMs } from "../pipelines/expected.ts";
import type { JobsContext } from "./context.ts";

/** A job of which somebody wants to know how long it will take. */
export interface Asked {
  id: string;
  project: string;
  pipeline: string;
  state: JobState;
  attempt: number;
}

export interface Expected {
  /** The whole run; null when it is over, and when nobody knows. */
  expectedMs: number | null;
  /** What is left of the run that is under way; null when none is, and when nobody knows. */
  leftMs: number | null;
}

/** Branches of a node of which so many have ended are counted no further: what is left is then a little less than is said. */
const mostCounted = 10_000;

/** How long these jobs will take by the history of their nodes, in one statement beside the histories. */
export async function expectedOf(context: JobsContext, jobs: readonly Asked[]): Promise<Expected[]> {
  const living = jobs.flatMap((job, question) => (isFinal(job.state) ? [] : { ...job, question }));
  const answers = jobs.map((): Expected => ({ expectedMs: null, leftMs: null }));
  if (living.length === 0) return answers;
  const rows = await readRuns(context.db, living);
  await Promise.all(
    rows.map(async (row) => {
      const job = jobs[row.question];
      if (job !== undefined) answers[row.question] = await expectedRun(context, job, row);
    }),
  );
  return answers;
}

async function expectedRun({ db, catalogue, histories }: JobsContext, job: Asked, run: Run): Promise<Expected> {
  if (run.path === null) return { expectedMs: null, leftMs: null };
  const [history, pipeline] = await Promise.all([
    histories.of({ project: job.project, pipeline: job.pipeline }),
    run.executor === null ? catalogue.find(job.project, job.pipeline) : null,
  ]);
  const executor = run.executor ?? executorOf(run.requested, pipeline?.description ?? null, history.executor);
  return {
    expectedMs: expectedMs(run.path, history, executor, progressOf(run, "reused")),
    leftMs:
      job.state === "running"
        ? leftMs(run.path, history, executor, { progress: progressOf(run, "ended"), now: db.now() })
        : null,
  };
}

/**
 * What of the run takes no time any more: what has ended, or, of the run as a whole, what was reused; and what is to be reused.
 * How many branches there are is known as soon as they are: no need to go by earlier runs.
 */
function progressOf({ progress, reused }: Run, counts: "ended" | "reused"): Map<string, NodeProgress> {
  const found = new Map<string, NodeProgress>(reused.map((node) => [node, { ...nothing, ended: allOfThem }]));
  for (const [node, each] of progress) {
    const isAsForeseen = each.startedAt === null && each.ended === each.reused;
    const ended = found.has(node) && isAsForeseen ? allOfThem : each[counts];
    found.set(node, { ...each, ended, startedAt: counts === "ended" ? each.startedAt : null });
  }
  return found;
}

/** However many branches there are. */
const allOfThem = Number.POSITIVE_INFINITY;
const nothing: NodeProgress = { ended: 0, startedAt: null, expander: null, branches: null };

/** A run as far as it is known. */
interface Run {
  question: number;
  /** Null when nobody has checked the job and its run is not resolved. */
  path: string[] | null;
  requested: RunOptions["executor"] | null;
  /** As the run has resolved it; null before. */
  executor: KnownExecutor | null;
  /** Of the nodes that have begun; `reused`: how many of its values were. */
  progress: Map<string, NodeProgress & { reused: number }>;
  /** Nodes whose values are most probably to be reused. */
  reused: string[];
}

/** Every step is an index probe for each row of the step before, as in the histories. */
export function runsSql(sql: Sql, jobs: readonly (Asked & { question: number })[]) {
  return sql<Row[]>`
    select q.question, p.path, r.options -> 'executor' as requested, a.executor, n.nodes,
      case when q.attempt - (q.state = 'running')::int = 0 then r.plan -> 'reused' else k.nodes end as reused
    from jsonb_to_recordset(${sql.json(jobs as never)}) as q (question int, id uuid, attempt int, state text)
    cross join lateral (select r.options, r.plan from job_requests r where r.job_id = q.id limit 1) r
    left join lateral (
      select a.context -> 'path' as path, a.context -> 'executor' as executor from attempts a
      where a.job_id = q.id and a.attempt = q.attempt limit 1
    ) a on q.state = 'running'
    cross join lateral (select coalesce(a.path, r.plan -> 'path') as path) p
    left join lateral (
      select jsonb_agg(jsonb_build_array(e.node, s.ended, s.started, s.branch, s.branches, s.reused)) as nodes
      from jsonb_array_elements_text(p.path) as e (node)
      cross join lateral (
        select count(*) filter (where s.state <> 'running')::int as ended, max(nullif(s.branch, '')) as branch,
          extract(epoch from min(s.started_at) filter (where s.state = 'running')) * 1000 as started,
          max(s.branches) as branches, count(*) filter (where s.state = 'reused')::int as reused
        from (
          select n.state, n.started_at, n.branch, n.branches from node_runs n
          where n.job_id = q.id and n.attempt = q.attempt and n.node = e.node limit ${mostCounted}
        ) s
        having count(*) > 0
      ) s
    ) n on q.state = 'running'
    -- What the attempt before it has stored the next one takes, unless its code has changed.
    left join lateral (
      select jsonb_agg(e.node) as nodes
      from jsonb_array_elements_text(p.path) as e (node)
      where exists (
        select from node_runs n
        where n.job_id = q.id and n.attempt = q.attempt - (q.state = 'running')::int and n.node = e.node and n.branch = ''
          and n.stored and n.state in ('succeeded', 'reused') and n.reason ->> 'code' is distinct from 'recompute_asked'
      )
    ) k on q.attempt - (q.state = 'running')::int > 0`;
}

async function readRuns({ sql }: Database, jobs: readonly (Asked & { question: number })[]): Promise<Run[]> {
  const rows = await runsSql(sql, jobs);
  return rows.map(({ executor, nodes, reused, ...row }) => ({
    ...row,
    reused: reused ?? [],
    executor: executor === null ? null : { type: executor.type ?? null, maxWorkers: executor.max_workers ?? null },
    progress: new Map(
      (nodes ?? []).map(([node, ended, startedAt, branch, branches, reusedRuns]) => [
        node,
        { ended, reused: reusedRuns, startedAt, branches, expander: expanderOfBranch(branch) },
      ]),
    ),
  }));
}

interface Row {
  question: number;
  path: string[] | null;
  requested: RunOptions["executor"] | null;
  executor: { type?: string; max_workers?: number } | null;
  nodes:
    | [
        node: string,
        ended: number,
        startedAt: number | null,
        branch: string | null,
        branches: number | null,
        reused: number,
      ][]
    | null;
  reused: string[] | null;
}
