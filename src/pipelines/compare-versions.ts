import stringify from "safe-stable-stringify";
import type { Database } from "../db/client.ts";
import { NotFoundError } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import { unifiedDiff } from "../domain/text-diff.ts";
import type { GraphNode, PipelineDescription } from "../runtime/protocol.ts";
import type { Catalogue } from "./catalogue.ts";
import { findVersion, type PipelineVersion, sourcesOf } from "./versions.ts";

export type ChangeKind = "added" | "removed" | "changed";

/** What of a node differs. */
export const nodeAspects = ["source", "kind", "type", "dependencies", "tags", "doc"] as const;
export type NodeAspect = (typeof nodeAspects)[number];

export interface NodeChange {
  name: string;
  change: ChangeKind;
  /** Of a changed node: in what. */
  aspects: NodeAspect[];
  from: GraphNode | null;
  to: GraphNode | null;
  /** Unified diff of its function's source; null when that is the same or not kept. */
  diff: string | null;
}

export interface ModuleChange {
  file: string;
  change: ChangeKind;
  fromHash: string | null;
  toHash: string | null;
}

/** A value of the YAML that differs; null where it is not written. */
export interface ValueChange {
  path: string;
  change: ChangeKind;
  from: Json;
  to: Json;
}

export interface PipelineComparison {
  from: PipelineVersion;
  to: PipelineVersion;
  nodes: NodeChange[];
  modules: ModuleChange[];
  params: ValueChange[];
  run: ValueChange[];
}

/**
 * What differs between two versions of a pipeline, and nothing else.
 *
 * @throws NotFoundError when there is no such pipeline or version
 */
export async function comparePipelineVersions(
  db: Database,
  catalogue: Catalogue,
  { pipeline, from, to }: { pipeline: string; from: number; to: number },
): Promise<PipelineComparison> {
  const found = await catalogue.pipeline(null, pipeline, "pipeline");
  const version = async (number: number, path: string) => {
    const one = await findVersion(db, found.projectName, found.name, number);
    if (one === null) throw new NotFoundError("version", `${number} of ${found.projectName}/${found.name}`, path);
    return one;
  };
  const [older, newer] = await Promise.all([version(from, "from"), version(to, "to")]);
  const nodes = nodeChanges(older.description, newer.description);
  const hashes = nodes.flatMap((node) => [node.from?.codeHash, node.to?.codeHash]).filter((hash) => hash != null);
  const sources = hashes.length === 0 ? new Map<string, string>() : await sourcesOf(db, [...new Set(hashes)]);
  return {
    from: older,
    to: newer,
    nodes: nodes.map((node) => ({ ...node, diff: diffOf(node, sources) })),
    modules: moduleChanges(older.description, newer.description),
    params: valueChanges("params", older.description.params, newer.description.params),
    run: valueChanges("run", older.description.run, newer.description.run),
  };
}

function nodeChanges(from: PipelineDescription, to: PipelineDescription): Omit<NodeChange, "diff">[] {
  const before = byName(from.graph?.nodes ?? [], ({ name }) => name);
  const after = byName(to.graph?.nodes ?? [], ({ name }) => name);
  return changedKeys(before, after).flatMap(({ key: name, change, from, to }) => {
    const aspects = from === null || to === null ? [] : nodeAspects.filter((aspect) => !isSame(from, to, aspect));
    return change === "changed" && aspects.length === 0 ? [] : [{ name, change, aspects, from, to }];
  });
}

/** Where a function stands in its file is no part of what it is. */
function isSame(from: GraphNode, to: GraphNode, aspect: NodeAspect): boolean {
  const of = (node: GraphNode): unknown => {
    switch (aspect) {
      case "source":
        return node.codeHash;
      case "dependencies":
        return [node.dependsOn, node.optionalDependsOn];
      default:
        return node[aspect];
    }
  };
  return stringify(of(from)) === stringify(of(to));
}

function diffOf({ from, to }: Omit<NodeChange, "diff">, sources: ReadonlyMap<string, string>): string | null {
  if (from?.codeHash === to?.codeHash) return null;
  const source = (node: GraphNode | null) => (node?.codeHash == null ? null : (sources.get(node.codeHash) ?? null));
  return unifiedDiff(source(from), source(to));
}

function moduleChanges(from: PipelineDescription, to: PipelineDescription): ModuleChange[] {
  const hashes = ({ modules }: PipelineDescription) => new Map(modules.map(({ file, sha256 }) => [file, sha256]));
  return changedKeys(hashes(from), hashes(to)).map(({ key, change, from, to }) => ({
    file: key,
    change,
    fromHash: from,
    toHash: to,
  }));
}

/** Values by their paths: objects are gone into, lists are compared whole. */
function valueChanges(path: string, from: Json, to: Json): ValueChange[] {
  if (isObject(from) && isObject(to)) {
    const entries = (value: { [key: string]: Json }) => new Map(Object.entries(value));
    return changedKeys(entries(from), entries(to)).flatMap(({ key, change, from, to }) =>
      change === "changed" ? valueChanges(`${path}.${key}`, from, to) : [{ path: `${path}.${key}`, change, from, to }],
    );
  }
  return stringify(from) === stringify(to) ? [] : [{ path, change: "changed", from, to }];
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function byName<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item> {
  return new Map(items.map((item) => [nameOf(item), item]));
}

interface Change<Value> {
  key: string;
  change: ChangeKind;
  from: Value | null;
  to: Value | null;
}

/** Keys that only one of the two has, or whose values are not the same. */
function changedKeys<Value>(from: ReadonlyMap<string, Value>, to: ReadonlyMap<string, Value>): Change<Value>[] {
  return [...new Set([...from.keys(), ...to.keys()])].flatMap((key): Change<Value>[] => {
    const one = { key, from: from.get(key) ?? null, to: to.get(key) ?? null };
    if (!from.has(key)) return [{ ...one, change: "added" }];
    if (!to.has(key)) return [{ ...one, change: "removed" }];
    return stringify(one.from) === stringify(one.to) ? [] : [{ ...one, change: "changed" }];
  });
}
