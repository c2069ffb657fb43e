import { idText } from "../domain/ids.ts";
import type { Json } from "../domain/json.ts";
import { builder } from "./builder.ts";
import { type Column, ColumnSummary } from "./value-summary.ts";

export const ArtifactKind = builder.enumType("ArtifactKind", {
  description: "What an artifact is.",
  values: {
    RESULT: { value: "result", description: "The value of a final variable." },
    FILE: { value: "file", description: "A file that the run has left in FLOWERPOWER_RUN_DIR." },
    LOG: {
      value: "log",
      description: "The whole log, when lines of it are missing among the events: text, compressed.",
    },
  } as const,
});

export const Artifact = builder.drizzleNode("artifacts", {
  variant: "Artifact",
  description: "Something that a run has made and that is, or was, kept as a file.",
  id: { column: (artifact) => artifact.id, description: "Its id: `art_…`." },
  fields: (t) => ({
    job: t.relation("job", { description: "The job that has made it." }),
    attempt: t.exposeInt("attempt", { description: "The number of the attempt that has made it." }),
    name: t.exposeString("name", {
      description: "The final variable; of a file its path within FLOWERPOWER_RUN_DIR; of a log `log`.",
    }),
    kind: t.field({
      type: ArtifactKind,
      description: "What it is.",
      select: { columns: { kind: true } },
      resolve: ({ kind }) => kind as "result",
    }),
    mediaType: t.exposeString("mediaType", {
      nullable: true,
      description: "`application/vnd.apache.parquet`, `text/csv` …; null when nothing was kept.",
    }),
    bytes: t.exposeFloat("bytes", { nullable: true, description: "Its length; null when nothing was kept." }),
    sha256: t.exposeString("sha256", {
      nullable: true,
      description: "SHA-256 of its bytes, hexadecimal; null when nothing was kept.",
    }),
    schema: t.field({
      type: [ColumnSummary],
      nullable: true,
      description: "Columns of a data frame, the first 200, with their types in Arrow's words; null for others.",
      select: { columns: { schema: true } },
      resolve: ({ schema }) => schema as Column[] | null,
    }),
    preview: t.field({
      type: "JSON",
      nullable: true,
      description:
        "The first rows of a data frame, at most 20, each a list in the order of `schema`. What JSON has no word for is text: `NaN`, dates, decimals, `0x…` for bytes. Null for others, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { columns: { preview: true } },
      resolve: ({ preview }) => preview as Json,
    }),
    downloadUrl: t.string({
      nullable: true,
      description:
        "Where it is downloaded, relative to this server: by GET, with the same key and the right `payloads`. Null when it is not kept.",
      select: { columns: { id: true, uri: true, hasValue: true } },
      resolve: ({ id, uri, hasValue }) => (uri !== null || hasValue ? `/artifacts/${idText("artifact", id)}` : null),
    }),
    omitted: t.exposeString("omitted", { nullable: true, description: "Why it is not kept; null when it is." }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "When it is removed; null: with its job, or nothing was kept.",
    }),
    removedAt: t.expose("removedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it was removed, its time to live being over; null before.",
    }),
  }),
});
