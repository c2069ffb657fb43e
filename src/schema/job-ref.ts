import { BadInputError, NotFoundError } from "../domain/errors.ts";
import { uuidOf } from "../domain/ids.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { jobRef } from "./job.ts";
import { AmbiguousRefError, findByEnd, searched, shortestEnd } from "./short-id.ts";

builder.queryField("jobByRef", (t) =>
  t.drizzleField({
    type: jobRef,
    description: "A job by what a person types for it.",
    authScopes: { read: true },
    errors: {
      types: [NotFoundError, AmbiguousRefError, BadInputError],
      union: { description: "The job, or why it was not found." },
    },
    args: {
      ref: t.arg.string({
        required: true,
        description: `\`@last\`, \`PIPELINE@last\`, \`project/pipeline@last\`, an id, or the last ${shortestEnd} or more characters of one (of the newest ${searched.toLocaleString("en")} jobs).`,
      }),
    },
    resolve: async (query, _root, { ref }, context) => {
      const id = await findJob(ref, context);
      const job = await context.db.reads.query.jobs.findFirst(query({ where: { id } }));
      if (job === undefined) throw new NotFoundError("job", ref, "ref");
      return job;
    },
  }),
);

/** The UUID of the job that a reference means. */
async function findJob(ref: string, context: Context): Promise<string> {
  const exact = uuidOf("job", ref);
  if (exact !== null) return exact;
  if (ref.endsWith("@last")) return await lastJob(ref.slice(0, -"@last".length), context);
  return await findByEnd(context.db.sql, ref, {
    kind: "job",
    newest: (sql) => sql`select id from jobs order by id desc`,
    taken: "@last or PIPELINE@last",
  });
}

async function lastJob(pipeline: string, { db, jobs }: Context): Promise<string> {
  if (pipeline === "") {
    const [last] = await db.sql<{ id: string }[]>`select id from jobs order by id desc limit 1`;
    if (last === undefined) throw new NotFoundError("job", "@last", "ref");
    return last.id;
  }
  const found = await jobs.catalogue.pipeline(null, pipeline, "ref");
  const [last] = await db.sql<{ id: string }[]>`
    select id from jobs where project = ${found.projectName} and pipeline = ${found.name} order by id desc limit 1`;
  if (last === undefined) throw new NotFoundError("job", `${pipeline}@last`, "ref");
  return last.id;
}
