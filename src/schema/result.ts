import { Artifact } from "./artifact.ts";
import { builder } from "./builder.ts";
import { ValueSummary, type ValueSummaryShape } from "./value-summary.ts";

export const Result = builder.drizzleObject("artifacts", {
  name: "Result",
  description: "The value of a final variable, or what is kept of it.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "The final variable." }),
    summary: t.field({
      type: ValueSummary,
      nullable: true,
      description: "What the value looks like; null when no summary is kept.",
      select: { columns: { summary: true } },
      resolve: ({ summary }) => summary as ValueSummaryShape | null,
    }),
    hasValue: t.exposeBoolean("hasValue", { description: "Whether `value` is the value: a value may itself be null." }),
    value: t.field({
      type: "JSON",
      nullable: true,
      description: "The value, when it is small JSON; else null, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { columns: { value: true } },
      resolve: ({ value }) => value,
    }),
    artifact: t.variant(Artifact, {
      description:
        "The value as something to download: as a file where it is no small JSON. Null when it is not kept, and never was.",
      select: { columns: { uri: true, hasValue: true, removedAt: true } },
      isNull: ({ uri, hasValue, removedAt }) => uri === null && !hasValue && removedAt === null,
    }),
    omitted: t.exposeString("omitted", {
      nullable: true,
      description: "Why the value is not kept, here or as an artifact; null when it is.",
    }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "When it is removed; null: with its job.",
    }),
  }),
});
