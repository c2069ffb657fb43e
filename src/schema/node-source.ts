import { createContextCache } from "@pothos/core";
import { sourcesOf } from "../pipelines/versions.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";

/** The source text that is kept under a hash; null when none is. Read in one statement, however many nodes ask. */
export function nodeSource(context: Context, hash: string): Promise<string | null> {
  return byHash(context).ask(hash);
}

/** The source of a node as it ran in an attempt. */
export function nodeRunSource(context: Context, run: NodeOf): Promise<string | null> {
  return byRun(context).ask(run);
}

interface NodeOf {
  jobId: string;
  attempt: number;
  node: string;
}

const byHash = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, string | null>(async (hashes) => {
      const sources = await sourcesOf(db, [...new Set(hashes)]);
      return hashes.map((hash) => sources.get(hash) ?? null);
    }),
);

/** An attempt's context has the hash of each of its nodes: a version that was never published has run all the same. */
const byRun = createContextCache(
  ({ db }: Context) =>
    new Gathered<NodeOf, string | null>(async (runs) => {
      const rows = await db.sql<{ question: number; source: string }[]>`
        select q.question, s.source
        from jsonb_to_recordset(${db.sql.json(runs.map((run, question) => ({ ...run, question })))}) as q (
          question int, "jobId" uuid, attempt int, node text
        )
        join attempts a on a.job_id = q."jobId" and a.attempt = q.attempt
        join node_sources s on s.hash = a.context -> 'nodes' ->> q.node`;
      const answers = new Map(rows.map(({ question, source }) => [question, source]));
      return runs.map((_, question) => answers.get(question) ?? null);
    }),
);
