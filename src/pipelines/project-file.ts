import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { DomainError } from "../domain/errors.ts";
import { interpolate, MissingVariableError, type Variables } from "./references.ts";

/** What we read of conf/project.yml ourselves: only what has to be known before its Python runs. The rest is Python's. */
export interface ProjectFile {
  name: string | null;
  python: string | null;
  envFile: string | null;
}

/** conf/project.yml cannot be used: where, and why. */
export class ProjectFileError extends DomainError {
  readonly code = "BAD_PROJECT_FILE";
  readonly file: string;
  /** From 1; null when it is about the file as a whole. */
  readonly line: number | null;

  constructor(file: string, line: number | null, what: string) {
    super(`${file}${line === null ? "" : `, line ${line}`}: ${what}`);
    this.file = file;
    this.line = line;
  }
}

/** Where FlowerPower looks for it. */
export const projectFiles = ["conf/project.yml", "conf/project.yaml"];

/** @throws ProjectFileError with the file, the line and what is wrong there */
export async function readProjectFile(root: string, env: Variables): Promise<ProjectFile> {
  const file = await projectFile(root);
  if (file === null) return { name: null, python: null, envFile: null };
  const lines = new LineCounter();
  // As PyYAML reads it: YAML 1.1, and a key that is written twice is no error.
  const document = parseDocument(file.text, {
    version: "1.1",
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ProjectFileError(file.path, lines.linePos(error.pos[0]).line, `this is not YAML: ${error.message}`);
  }
  const place: Place = { path: file.path, lines, document };
  const top = mapOf(place, document.contents, "the file");
  const section = mapOf(place, nodeAt(place, top, "job_queue"), "job_queue");
  return {
    name: textOf(place, nodeAt(place, top, "name"), "name", env),
    python: textOf(place, nodeAt(place, section, "python"), "job_queue.python", env),
    envFile: textOf(place, nodeAt(place, section, "env_file"), "job_queue.env_file", env),
  };
}

/** The project's file with its text, or null when it has none. */
async function projectFile(root: string): Promise<{ path: string; text: string } | null> {
  for (const candidate of projectFiles) {
    const path = join(root, candidate);
    try {
      return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)) };
    } catch (error) {
      if (error instanceof TypeError) throw new ProjectFileError(path, null, "it is not text in UTF-8.");
      const code = error instanceof Error && "code" in error ? error.code : null;
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      throw new ProjectFileError(path, null, `it cannot be read (${code ?? String(error)}).`);
    }
  }
  return null;
}

interface Place {
  path: string;
  lines: LineCounter;
  document: Document;
}

/** The value of a key; of one that is written twice the last, as in Python. */
function nodeAt({ document }: Place, map: YAMLMap | null, key: string): unknown {
  const pair = map?.items.findLast((item) => isScalar(item.key) && item.key.value === key);
  return isAlias(pair?.value) ? pair.value.resolve(document) : pair?.value;
}

function mapOf(place: Place, node: unknown, what: string): YAMLMap | null {
  if (isMap(node)) return node;
  if (isNothing(node)) return null;
  throw new ProjectFileError(place.path, lineOf(place, node), `${what} should hold keys and values.`);
}

function textOf(place: Place, node: unknown, what: string, env: Variables): string | null {
  if (isNothing(node)) return null;
  const refuse = (why: string) => new ProjectFileError(place.path, lineOf(place, node), `${what} ${why}`);
  if (!isScalar(node) || typeof node.value !== "string") throw refuse("should be a text; put it in quotes.");
  try {
    return interpolate(node.value, env) || null;
  } catch (error) {
    if (error instanceof MissingVariableError) throw refuse(`cannot be resolved: ${error.message}.`);
    throw error;
  }
}

function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

function lineOf({ lines }: Place, node: unknown): number | null {
  const range = isNode(node) ? node.range : null;
  return range ? lines.linePos(range[0]).line : null;
}
