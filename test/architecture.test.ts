import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

/** Each folder of src and the folders that it may import. Nothing imports upwards, nothing goes round. */
const mayImport: Record<string, string[]> = {
  domain: [],
  artifacts: ["domain"],
  db: ["domain"],
  events: ["db", "domain"],
  runtime: ["domain"],
  backends: ["db", "domain"],
  pipelines: ["runtime", "db", "domain"],
  jobs: ["events", "backends", "pipelines", "db", "domain"],
  worker: ["artifacts", "runtime", "jobs", "events", "backends", "pipelines", "db", "domain"],
  schema: ["jobs", "events", "pipelines", "db", "domain"],
  server: ["artifacts", "schema", "jobs", "pipelines", "events", "db", "domain"],
  client: [],
  // The composition root: it wires, it decides nothing.
  cli: [
    "client",
    "server",
    "worker",
    "artifacts",
    "jobs",
    "events",
    "pipelines",
    "runtime",
    "backends",
    "db",
    "domain",
  ],
};
const src = join(import.meta.dirname, "../src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

/** Every module that a file names: static, side-effect, dynamic, re-exported, and as a type. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, path]) => path as string);
}

function folderOf(file: string): string {
  return file.split("/")[0] as string;
}

describe("imports", () => {
  it("finds the files it is about", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(new Set(files.map(folderOf))).toEqual(new Set(Object.keys(mayImport)));
  });

  it.each(files)("%s imports only what its folder may", (file) => {
    const from = folderOf(file);
    const local = importsOf(file).filter((path) => path.startsWith("."));
    const folders = local.map((path) => folderOf(relative(src, join(src, dirname(file), path))));
    expect(folders.filter((to) => to !== from && to !== ".." && !mayImport[from]?.includes(to))).toEqual([]);
  });

  it("reads the environment in one file only", () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(src, file), "utf8")));
    expect(readers).toEqual(["cli/config.ts"]);
  });

  it("keeps Node's modules out of the client", () => {
    const node = files
      .filter((file) => folderOf(file) === "client")
      .flatMap(importsOf)
      .filter((path) => path.startsWith("node:"));
    expect(node).toEqual([]);
  });
});
