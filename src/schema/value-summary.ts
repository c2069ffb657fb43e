import { builder } from "./builder.ts";

interface Statistics {
  min: number | null;
  max: number | null;
  mean: number | null;
  nulls: number;
}

export interface Column {
  name: string;
  type: string;
  statistics?: Statistics | undefined;
}

/** ValueSummary of the runtime protocol. */
export interface ValueSummaryShape {
  type: string;
  shape: number[] | null;
  length: number | null;
  bytes: number | null;
  columns: Column[] | null;
  preview: string | null;
}

const ColumnStatistics = builder.objectRef<Statistics>("ColumnStatistics").implement({
  description: "Numbers about a numeric column. Missing values and NaN count as `nulls` and nowhere else.",
  fields: (t) => ({
    min: t.exposeFloat("min", {
      nullable: true,
      description: "Its least value; null without values, or when infinite.",
    }),
    max: t.exposeFloat("max", {
      nullable: true,
      description: "Its largest value; null without values, or when infinite.",
    }),
    mean: t.exposeFloat("mean", { nullable: true, description: "Its mean; null without values, or when infinite." }),
    nulls: t.exposeInt("nulls", { description: "How many values are missing." }),
  }),
});

export const ColumnSummary = builder.objectRef<Column>("ColumnSummary").implement({
  description: "A column of a data frame.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    type: t.exposeString("type", { description: "Its type: `int64`, `string` …" }),
    statistics: t.field({
      type: ColumnStatistics,
      nullable: true,
      description:
        "Numbers about its values. Null for columns that are not numeric or named like a secret, for large frames, where `statistics: off` is set, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ statistics }) => statistics ?? null,
    }),
  }),
});

export const ValueSummary = builder.objectRef<ValueSummaryShape>("ValueSummary").implement({
  description: "What a value looks like, without the value.",
  fields: (t) => ({
    type: t.exposeString("type", { description: "Its Python type: `pandas.DataFrame`, `int` …" }),
    shape: t.exposeIntList("shape", {
      nullable: true,
      description: "Rows and columns of a frame, dimensions of an array; null for others.",
    }),
    length: t.exposeInt("length", {
      nullable: true,
      description: "Items of a collection, characters of a text; null for others.",
    }),
    bytes: t.exposeFloat("bytes", {
      nullable: true,
      description: "Size in memory in bytes; null where it would be costly to know.",
    }),
    columns: t.field({
      type: [ColumnSummary],
      nullable: true,
      description: "Columns of a frame, the first 50; null for others.",
      resolve: ({ columns }) => columns,
    }),
    preview: t.string({
      nullable: true,
      description: "A line to recognise the value by. Null for large values, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ preview }) => preview,
    }),
  }),
});
