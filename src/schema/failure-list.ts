import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { GraphQLResolveInfo } from "graphql";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { FailureGroup } from "./failure-group.ts";
import { pipelineOf } from "./job-filter.ts";
import { type Keyset, type PageArgs, type PageRequest, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";

const FailureFilter = builder.inputType("FailureFilter", {
  description: "Which failures: those to which all of it applies.",
  fields: (t) => ({
    project: t.string({ description: "Only failures of this project." }),
    pipeline: t.string({
      description: "Only failures of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    open: t.boolean({
      description: "True: only those after which no run has succeeded; false: only the others. Absent: both.",
    }),
  }),
});
type Filter = typeof FailureFilter.$inferInput;

interface Key {
  id: string;
  at: string;
}
type Row = { id: string; lastSeenAt: Date };

const keyset: Keyset<Row, Key> = {
  name: "failures",
  keyOf: ({ id, lastSeenAt }) => [id, lastSeenAt.toISOString()],
  parse: ([id = "", at = "", ...rest]) =>
    rest.length === 0 && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) && isTime(at) ? { id, at } : null,
};

builder.queryField("failures", (t) =>
  t.connection(
    {
      type: FailureGroup,
      description: "Equal failures as one each, those that were seen last first.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: { filter: t.arg({ type: FailureFilter, description: "Which failures; without it: all." }) },
      resolve: (_root, { filter, ...page }, context, info) => failurePage(page, filter ?? {}, context, info),
    },
    { name: "FailuresConnection", description: "A page of failures." },
    { name: "FailuresConnectionEdge", description: "Equal failures in their list." },
  ),
);

async function failurePage(page: PageArgs, filter: Filter, context: Context, info: GraphQLResolveInfo) {
  // The open and the closed ones have indexes of their own, so that a failure is written into few: both are read and merged.
  const states = filter.open == null ? [true, false] : [filter.open];
  return await readPage(page, keyset, async (request) => {
    const lists = await Promise.all(
      states.map((open) =>
        context.db.reads.query.failureGroups.findMany(
          queryFromInfo({
            ...pageNodes("FailureGroup", context, info),
            columns: { id: true, lastSeenAt: true },
            ...failureQuery(filter, open, request),
          }),
        ),
      ),
    );
    const inOrder = lists.flat().toSorted(request.backwards ? byPlace : (a, b) => byPlace(b, a));
    return inOrder.slice(0, request.limit);
  });
}

function byPlace(a: Row, b: Row): number {
  return a.lastSeenAt.getTime() - b.lastSeenAt.getTime() || (a.id < b.id ? -1 : 1);
}

type Columns = Record<"id" | "project" | "pipeline" | "lastSeenAt" | "closedAt", AnyPgColumn>;

/** Condition, order and limit of a page of the open or of the closed ones, newest first, as their indexes have it. */
export function failureQuery(filter: Filter, open: boolean, { limit, backwards, after, before }: PageRequest<Key>) {
  const { project, pipeline } = pipelineOf(filter);
  const direction = backwards ? ("asc" as const) : ("desc" as const);
  return {
    where: {
      RAW: (group: Columns) =>
        and(
          open ? sql`${group.closedAt} is null` : sql`${group.closedAt} is not null`,
          project === null ? undefined : eq(group.project, project),
          pipeline === null ? undefined : eq(group.pipeline, pipeline),
          after === null ? undefined : compare(group, sql`<`, after),
          before === null ? undefined : compare(group, sql`>`, before),
        ) as SQL,
    },
    orderBy: { lastSeenAt: direction, id: direction },
    limit,
  };
}

function compare(group: Columns, operator: SQL, { id, at }: Key): SQL {
  return sql`(${group.lastSeenAt}, ${group.id}) ${operator} (${at}::timestamptz, ${id}::uuid)`;
}

/** As `toISOString` writes it. */
function isTime(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text && !text.startsWith("+");
}
