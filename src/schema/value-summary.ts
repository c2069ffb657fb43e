import { builder } from "./builder.ts";

export interface Column {
  name: string;
  type: string;
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

export const ColumnSummary = builder.objectRef<Column>("ColumnSummary").implement({
  description: "A column of a data frame.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    type: t.exposeString("type", { description: "Its type: `int64`, `string` …" }),
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
