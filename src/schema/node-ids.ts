import { BadInputError } from "../domain/errors.ts";
import { type IdKind, idText, uuidOf } from "../domain/ids.ts";

/** GraphQL types whose id is a UUID behind a prefix. */
const kinds = {
  Job: "job",
  Batch: "batch",
  Attempt: "attempt",
  NodeRun: "node",
  Artifact: "artifact",
  Project: "project",
  PipelineVersion: "version",
  Worker: "worker",
  FailureGroup: "failure",
} as const satisfies {
  [typename: string]: IdKind;
};
const queuePrefix = "que_";
const pipelinePrefix = "pip_";

/** The id that people see, of a type and what its table's key holds. */
export function encodeNodeId(typename: string, id: string | number | bigint): string {
  if (typename === "Queue") return `${queuePrefix}${id}`;
  if (typename === "Pipeline") {
    const [project, name] = JSON.parse(String(id)) as [string, string];
    return pipelineId(project, name);
  }
  if (!Object.hasOwn(kinds, typename)) throw new Error(`${typename} has no node id`);
  return idText(kinds[typename as keyof typeof kinds], String(id));
}

/** The type and the table's key behind an id. */
export function decodeNodeId(id: string): { typename: string; id: string } {
  if (id.startsWith(queuePrefix)) return { typename: "Queue", id: id.slice(queuePrefix.length) };
  if (id.startsWith(pipelinePrefix)) {
    const [project, name, ...rest] = id.slice(pipelinePrefix.length).split("/");
    if (project && name && rest.length === 0) return { typename: "Pipeline", id: JSON.stringify([project, name]) };
  }
  for (const [typename, kind] of Object.entries(kinds)) {
    const uuid = uuidOf(kind, id);
    if (uuid !== null) return { typename, id: uuid };
  }
  throw new BadInputError(`${JSON.stringify(id.slice(0, 80))} is not an id of this API.`, "id");
}

export function pipelineId(project: string, name: string): string {
  return `${pipelinePrefix}${project}/${name}`;
}

/** The UUID inside an id of one kind; anything else is the caller's mistake. */
export function requireUuid(kind: IdKind, id: string, path: string): string {
  const uuid = uuidOf(kind, id);
  if (uuid === null) throw new BadInputError(`${JSON.stringify(id.slice(0, 80))} is not the id of a ${kind}.`, path);
  return uuid;
}
