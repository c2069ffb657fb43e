import type { JsonObject } from "../domain/json.ts";
import { builder } from "./builder.ts";

export const ProjectEnvironment = builder.objectRef<JsonObject>("ProjectEnvironment").implement({
  description: "The Python environment in which a project's pipelines run.",
  fields: (t) => ({
    python: t.string({
      nullable: true,
      description: "Path of the interpreter; null when it is not known.",
      resolve: (e) => text(e, "python", "executable"),
    }),
    pythonVersion: t.string({
      nullable: true,
      description: "Python's version; null when it is not known.",
      resolve: (e) => text(e, "python", "version"),
    }),
    pythonSource: t.string({
      nullable: true,
      description: "Why this interpreter was chosen; null when it is not known.",
      resolve: (e) => text(e, "python", "source"),
    }),
    flowerpower: t.string({
      nullable: true,
      description: "FlowerPower's version; null when it is missing.",
      resolve: (e) => text(e, "packages", "flowerpower"),
    }),
    hamilton: t.string({
      nullable: true,
      description: "Hamilton's version; null when it is missing.",
      resolve: (e) => text(e, "packages", "hamilton"),
    }),
    packages: t.field({
      type: "JSONObject",
      description: "Versions by distribution name.",
      resolve: ({ packages }) => (packages ?? {}) as JsonObject,
    }),
  }),
});

function text(environment: JsonObject, part: string, key: string): string | null {
  const found = environment[part];
  const value = typeof found === "object" && found !== null && !Array.isArray(found) ? found[key] : null;
  return typeof value === "string" ? value : null;
}
