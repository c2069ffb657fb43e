import type { Sql } from "../db/client.ts";
import type { EarlierRun } from "../pipelines/reuse.ts";

/**
 * What a job has computed and stored, over all its attempts: of each node and branch the last value, else what became of it
 * last. Null when there is no such job.
 */
export async function readEarlierRun(sql: Sql, jobId: string): Promise<EarlierRun | null> {
  const [run] = await sql<EarlierRun[]>`
    select r.inputs, r.config, coalesce((
      select jsonb_agg(jsonb_build_object(
        'node', n.node, 'state', n.state, 'stored', n.stored, 'codeVersion', n.code_version
      ))
      from (
        select distinct on (node, branch) node, state, stored, code_version
        from node_runs where job_id = r.job_id
        order by node, branch, (state in ('succeeded', 'reused')) desc, attempt desc
      ) n
    ), '[]'::jsonb) as nodes
    from job_requests r where r.job_id = ${jobId}`;
  return run ?? null;
}
