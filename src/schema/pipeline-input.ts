import type { Json, JsonObject } from "../domain/json.ts";
import { hidden, isSecretName, redacted } from "../domain/secrets.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { builder } from "./builder.ts";

type InputShape = CataloguedPipeline["description"]["inputs"][number];

export const InputDefault = builder.objectRef<NonNullable<InputShape["default"]>>("InputDefault").implement({
  description: "What an input is when a request does not give it.",
  fields: (t) => ({
    value: t.field({
      type: "JSON",
      nullable: true,
      description:
        "The value. Null when it is a reference that only a worker resolves, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ value }) => value,
    }),
    source: t.exposeString("source", { description: "Where it comes from: a file, the environment, the code." }),
    reference: t.exposeString("reference", {
      nullable: true,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a reference looks
      description: "The reference in its place, `${WAREHOUSE_URL}`; null when it is a plain value.",
    }),
  }),
});

export const PipelineInput = builder.objectRef<InputShape>("PipelineInput").implement({
  description: "An input that a request may give: enough to build a form.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    type: t.exposeString("type", { description: "Its type, as Python code writes it." }),
    schema: t.field({
      type: "JSONObject",
      description: "JSON Schema (2020-12) of what a request may send.",
      resolve: ({ schema }) => schema as JsonObject,
    }),
    required: t.exposeBoolean("required", { description: "Whether a request has to give it: there is no default." }),
    default: t.field({
      type: InputDefault,
      nullable: true,
      description: "What it is when it is not given; null when it has to be.",
      resolve: shownDefault,
    }),
    doc: t.exposeString("doc", { nullable: true, description: "What is said about it; null when nothing is." }),
    usedBy: t.exposeStringList("usedBy", { description: "The nodes that take it." }),
  }),
});

function shownDefault({ name, default: given }: InputShape): InputShape["default"] {
  return given === null ? null : { ...given, value: shownValue(name, given.value as Json) };
}

/** A value of that name, without what is secret by its own name or within it. */
export function shownValue(name: string, value: Json): Json {
  return value !== null && isSecretName(name) ? hidden : redacted(value);
}
