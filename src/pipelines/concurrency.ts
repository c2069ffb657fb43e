import { createHash } from "node:crypto";
import stringify from "safe-stable-stringify";
import type { Json } from "../domain/json.ts";
import type { RunRequest } from "../domain/run-request.ts";
import type { CataloguedPipeline } from "./catalogue.ts";
import type { JobSettings } from "./policy.ts";

/** Longer values stand in a key by their hash. */
const longestValue = 100;

/** The key under which a job is counted, and how many with it may be with workers at the same time; null: no such limit. */
export function concurrencyOf(
  request: Pick<RunRequest, "options" | "inputs" | "tags">,
  { concurrency: limit, concurrencyKey }: Pick<JobSettings, "concurrency" | "concurrencyKey">,
  { projectName, name, description }: CataloguedPipeline,
): { key: string; limit: number } | null {
  if (limit === null) return null;
  const asked = request.options.concurrency?.key ?? null;
  if (asked !== null) return { key: asked, limit };
  // A reference is resolved in the worker alone: its text stands for it.
  const written = (name: string) => {
    const { value, reference } = description.inputs.find((input) => input.name === name)?.default ?? {};
    return (reference ?? value) as Json | undefined;
  };
  const parts = concurrencyKey.map((part) => {
    const [kind, of = ""] = [part.slice(0, part.indexOf(".")), part.slice(part.indexOf(".") + 1)];
    if (kind === "tags") return request.tags.find((tag) => tag.startsWith(`${of}:`)) ?? `${of}:`;
    return `${of}=${short(request.inputs[of] ?? written(of) ?? null)}`;
  });
  return { key: [`${projectName}/${name}`, ...parts].join(" "), limit };
}

function short(value: Json): string {
  const text = stringify(value) ?? "null";
  if (text.length <= longestValue) return text;
  return `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}
