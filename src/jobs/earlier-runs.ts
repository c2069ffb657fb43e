import type { Sql } from "../db/client.ts";
import { expanderOfBranch } from "../domain/branch.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { type ReuseMode, reuseKeptMs } from "../domain/reuse.ts";
import type { EarlierNode, EarlierRun } from "../pipelines/reuse.ts";

/** Whose values a planned run may take. */
export interface Sources {
  mode: Exclude<ReuseMode, "none">;
  project: string;
  pipeline: string;
  /** The job itself, when it is its next attempt that is planned. */
  sameJob: string | null;
  /** The jobs that it is rerun from, the nearest first. */
  reuseFrom: readonly string[];
}

/** Of a pipeline's jobs so many are looked at for values that any job may take, the newest first, and so many that have some. */
const [mostJobs, mostSharing] = [100, 20];

/**
 * What jobs have computed and stored that a planned run may take, each over all its attempts: of each node and branch the last
 * value, else what became of it last. What was stored too long ago counts as gone. With `full` other pipelines of the project
 * may have stored the same as well: they are not looked at.
 */
export async function readEarlierRuns(sql: Sql, sources: Sources): Promise<EarlierRun[]> {
  const { mode, sameJob, reuseFrom } = sources;
  const named = sameJob === null ? reuseFrom : [sameJob, ...reuseFrom];
  const shared = mode === "full" ? await sharingJobs(sql, sources) : [];
  const ids = [...new Set([...named, ...shared])];
  if (ids.length === 0) return [];
  const rows = await sql<Row[]>`
    select q.id as "jobId", r.inputs, r.config, a.resolved, n.nodes
    from unnest(${ids}::uuid[]) with ordinality as q (id, place)
    join job_requests r on r.job_id = q.id
    left join lateral (
      select a.context -> 'resolved' as resolved from attempts a
      where a.job_id = q.id and a.context is not null order by a.attempt desc limit 1
    ) a on true
    cross join lateral (
      select coalesce(jsonb_agg(to_jsonb(n)), '[]'::jsonb) as nodes from (
        select n.node, max(nullif(n.branch, '')) as branch, count(*)::int as runs,
          (count(*) filter (where n.valued))::int as valued,
          (count(*) filter (where n.valued and n.stored and n.ended_at > queue_now() - ${reuseKeptMs} * interval '1 ms'))::int
            as stored,
          case
            when min(coalesce(n.code_version, '')) filter (where n.valued) = max(n.code_version) filter (where n.valued)
            then max(n.code_version)
          end as "codeVersion",
          max(n.branches) as branches
        from (
          select distinct on (n.node, n.branch) n.*, n.state in ('succeeded', 'reused') as valued
          from node_runs n where n.job_id = q.id
          order by n.node, n.branch, n.state in ('succeeded', 'reused') desc, n.attempt desc
        ) n
        group by n.node
      ) n
    ) n
    order by q.place`;
  return rows.map((row) => runOf(row, row.jobId === sameJob));
}

/** The jobs of the pipeline that ran with `full`: only those put their values where any job finds them. */
async function sharingJobs(sql: Sql, { project, pipeline, sameJob }: Sources): Promise<string[]> {
  const full = sql.json([{ path: "job.reuse", value: "full" }]);
  const rows = await sql<{ id: string }[]>`
    select j.id from (
      select id, attempt from jobs
      where project = ${project} and pipeline = ${pipeline} and id is distinct from ${sameJob}::uuid
      order by id desc limit ${mostJobs}
    ) j
    join attempts a on a.job_id = j.id and a.attempt = j.attempt
    where a.context -> 'resolved' @> ${full}
    order by j.id desc limit ${mostSharing}`;
  return rows.map(({ id }) => id);
}

interface Row {
  jobId: string;
  inputs: JsonObject;
  config: JsonObject;
  resolved: { path: string; value: Json; reference: string | null; source: string; keyedHash: string | null }[] | null;
  nodes: (Omit<EarlierNode, "expander"> & { branch: string | null })[];
}

function runOf({ jobId, inputs, config, resolved, nodes }: Row, sameJob: boolean): EarlierRun {
  const given: Record<string, Json> = {};
  const untold: string[] = [];
  for (const { path, value, reference, source, keyedHash } of resolved ?? []) {
    const [, name] = /^(?:inputs|config)\.(.+)$/s.exec(path) ?? [];
    // A default in the code counts with the code.
    if (name === undefined || source === "code") continue;
    given[name] = reference ?? value;
    if (keyedHash !== null && reference === null) untold.push(name);
  }
  // What the request said it said in the words of the next one.
  Object.assign(given, config, inputs);
  return {
    jobId,
    sameJob,
    given,
    untold: untold.filter((name) => !Object.hasOwn(inputs, name) && !Object.hasOwn(config, name)),
    nodes: nodes.map(({ branch, ...node }) => ({ ...node, expander: expanderOfBranch(branch) })),
  };
}
