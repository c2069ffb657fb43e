import type { Database } from "../db/client.ts";
import { BadInputError, DomainError, NotFoundError } from "../domain/errors.ts";
import { idPrefixes, idText, uuidOf } from "../domain/ids.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { ErrorInterface } from "./errors.ts";
import { jobRef } from "./job.ts";

/** A short reference fits several jobs. */
export class AmbiguousRefError extends DomainError {
  readonly code = "AMBIGUOUS";
  readonly candidates: string[];

  constructor(ref: string, candidates: string[]) {
    super(`${ref} fits several jobs. Give more of the id.`, "ref");
    this.candidates = candidates;
  }
}

builder.objectType(AmbiguousRefError, {
  name: "AmbiguousRefError",
  description: "A short reference fits several jobs.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    candidates: t.idList({
      description: "Ids of jobs that it fits, the newest first.",
      resolve: ({ candidates }) => candidates,
    }),
  }),
});

/** Ends of ids are looked for among the newest jobs only: no index can answer it. */
const searched = 20_000;
const shortest = 6;

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
        description: `\`@last\`, \`PIPELINE@last\`, \`project/pipeline@last\`, an id, or the last ${shortest} or more characters of one (of the newest ${searched.toLocaleString("en")} jobs).`,
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
  const end = ref.startsWith(`${idPrefixes.job}_`) ? ref.slice(idPrefixes.job.length + 1) : ref;
  if (!new RegExp(`^[0-9a-hjkmnp-tv-z]{${shortest},26}$`).test(end)) {
    throw new BadInputError(
      `${JSON.stringify(ref.slice(0, 80))} is no reference to a job. Use an id, its last ${shortest} or more characters, @last or PIPELINE@last.`,
      "ref",
    );
  }
  return await jobEndingWith(end, ref, context.db);
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

async function jobEndingWith(end: string, ref: string, db: Database): Promise<string> {
  const rows = await db.sql<{ id: string }[]>`
    select id from (select id from jobs order by id desc limit ${searched}) newest
    where replace(id::text, '-', '') like ${`%${hexEnd(end)}`}`;
  const fitting = rows.map(({ id }) => id).filter((id) => idText("job", id).endsWith(end));
  const [only, another] = fitting;
  if (only === undefined) throw new NotFoundError("job", ref, "ref");
  if (another !== undefined)
    throw new AmbiguousRefError(
      ref,
      fitting.slice(0, 10).map((id) => idText("job", id)),
    );
  return only;
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The hexadecimal digits that the end of an id fixes: each character holds five bits. */
function hexEnd(end: string): string {
  const bits = [...end].reduce((value, character) => value * 32n + BigInt(alphabet.indexOf(character)), 0n);
  const digits = Math.min(32, Math.floor((end.length * 5) / 4));
  return (bits & ((1n << BigInt(digits * 4)) - 1n)).toString(16).padStart(digits, "0");
}
