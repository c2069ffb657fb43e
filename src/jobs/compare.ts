import type { Sql } from "../db/client.ts";
import {
  type ComparedJob,
  type ComparedNode,
  type ComparedResult,
  type Comparison,
  compare,
} from "../domain/comparison.ts";
import { NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { ErrorKind } from "../domain/outcome.ts";
import { type KnownGraph, knownGraphs } from "../pipelines/known-graph.ts";
import type { JobsContext } from "./context.ts";

/** Bytes of JSON up to which the values of two results are shown beside each other. */
const mostValueBytes = 16 * 1024;

/** ErrorInfo of the runtime protocol, as it is stored. */
interface StoredError {
  kind: ErrorKind;
  type: string;
  message: string;
  node?: string | null;
}

interface Row {
  id: string;
  project: string;
  pipeline: string;
  inputs: JsonObject;
  config: JsonObject;
  finalVars: string[] | null;
  options: JsonObject;
  settings: JsonObject;
  outcome: JsonObject;
  error: StoredError | null;
  codeHash: string | null;
  context: JsonObject | null;
  planned: string[] | null;
  durationMs: number | null;
  nodes: Pick<ComparedNode, "node" | "state" | "runs" | "durationMs">[];
  results: ComparedResult[];
}

/**
 * What differs between two jobs and their last attempts, whatever pipelines they are of.
 *
 * @throws NotFoundError when one of them does not exist
 */
export async function compareJobs(
  { db }: Pick<JobsContext, "db">,
  a: string,
  b: string,
): Promise<Comparison<StoredError>> {
  const rows = new Map((await readJobs(db.sql, [a, b])).map((row) => [row.id, row]));
  const [left, right] = [rows.get(a), rows.get(b)];
  if (left === undefined) throw new NotFoundError("job", idText("job", a), "a");
  if (right === undefined) throw new NotFoundError("job", idText("job", b), "b");
  const ran = [left, right].flatMap(({ codeHash, ...row }) => (codeHash === null ? [] : [{ ...row, codeHash }]));
  const graphs = await knownGraphs(db.sql, ran);
  const graphOf = ({ id }: Row) => graphs[ran.findIndex((one) => one.id === id)] ?? null;
  return compare(compared(left, graphOf(left)), compared(right, graphOf(right)));
}

function compared(row: Row, graph: KnownGraph): ComparedJob<StoredError> {
  const { project, pipeline, codeHash, config, planned, nodes, ...rest } = row;
  // Set by a rerun, never asked for; with which code it ran has a place of its own.
  const { codeHash: _meant, reuseFrom: _before, follows: _chain, followUps: _after, ...options } = row.options;
  const known = new Map(graph?.nodes.map((node) => [node.name, node]));
  const ran = new Map(nodes.map((node) => [node.node, node]));
  // Told by the run itself since contexts have them; the graph of a version that was never published is not known.
  const hashes = (row.context?.nodes ?? {}) as { [node: string]: string };
  const path = (row.context?.path as string[] | undefined) ?? planned ?? [];
  const names = [...new Set([...path, ...ran.keys()])];
  return {
    ...rest,
    config,
    codeHash,
    settings: { project, pipeline, ...rest.settings, ...options },
    nodes: names.map((node) => {
      const { codeHash = null, dependsOn = null } = known.get(node) ?? {};
      const never = { node, state: "never_ran" as const, runs: 0, durationMs: null };
      return { ...(ran.get(node) ?? never), codeHash: hashes[node] ?? codeHash, dependsOn };
    }),
  };
}

async function readJobs(sql: Sql, ids: readonly string[]): Promise<Row[]> {
  return await sql<Row[]>`
    select j.id, j.project, j.pipeline, r.inputs, r.config, r.final_vars as "finalVars", r.options,
      jsonb_build_object(
        'queue', j.queue, 'priority', j.priority, 'tags', r.tags, 'timeoutMs', r.timeout_ms, 'retry', r.retry,
        'maxAttempts', j.max_attempts, 'maxLosses', j.max_losses, 'onWorkerLost', j.on_worker_lost
      ) as settings,
      jsonb_build_object('state', j.state, 'attempts', j.attempt, 'errorKind', a.error_kind) as outcome,
      a.error, a.code_hash as "codeHash", a.context, r.plan -> 'path' as planned,
      extract(epoch from a.ended_at - a.started_at)::float8 * 1000 as "durationMs",
      coalesce((
        select jsonb_agg(jsonb_build_object(
          'node', n.node, 'state', n.state, 'runs', n.runs, 'durationMs', n.duration_ms
        ) order by n.first_seq)
        from (${nodesOf(sql)}) n
      ), '[]') as nodes,
      coalesce((
        select jsonb_agg(jsonb_build_object(
          'name', s.name, 'summary', s.summary, 'digest', coalesce(s.sha256, md5(s.value::text)),
          'hasValue', s.has_value and octet_length(s.value::text) <= ${mostValueBytes}::int,
          'value', case when octet_length(s.value::text) <= ${mostValueBytes}::int then s.value end
        ))
        from artifacts s where s.job_id = j.id and s.attempt = j.attempt and s.kind = 'result'
      ), '[]') as results
    from jobs j
    join job_requests r on r.job_id = j.id
    left join attempts a on a.job_id = j.id and a.attempt = j.attempt
    where j.id = any(${ids as string[]}::uuid[])`;
}

/** The nodes of a job's last attempt, branches together: what the worst of them came to. */
function nodesOf(sql: Sql) {
  return sql`
    select node, min(first_seq) as first_seq, count(*)::int as runs, sum(duration_ms) as duration_ms,
      (array_agg(state order by array_position(array['failed', 'running', 'stopped', 'succeeded', 'reused'], state)))[1] as state
    from node_runs where job_id = j.id and attempt = j.attempt
    group by node`;
}
