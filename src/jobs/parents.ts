import type { Sql } from "../db/client.ts";
import { type Dependency, type InputFrom, mostParents } from "../domain/dependency.ts";
import { BadInputError, InvalidRunError, NotFoundError, type Problem } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { RunRequest } from "../domain/run-request.ts";
import { nearest } from "../pipelines/nearest.ts";
import type { NewJob } from "./insert.ts";

type Asked = Pick<RunRequest, "dependsOn" | "inputsFrom" | "inputs">;

/**
 * The jobs that a new one waits for: those that it names, and those whose results it takes. They are there before it, so that
 * jobs cannot wait for each other in a circle.
 *
 * @throws NotFoundError when one of them does not exist
 * @throws BadInputError when one is named twice, or they are too many
 * @throws InvalidRunError when a result is asked for that the parent will not have
 */
export async function parentsOf(
  read: (jobIds: readonly string[]) => Promise<ReadonlyMap<string, string[] | null>>,
  request: Asked,
): Promise<Pick<NewJob, "dependsOn" | "inputsFrom">> {
  const { dependsOn = [], inputsFrom = [] } = request;
  if (dependsOn.length + inputsFrom.length === 0) return { dependsOn: [], inputsFrom: null };
  const dependencies = allDependencies(dependsOn, inputsFrom);
  if (dependencies.length > mostParents) {
    throw new BadInputError(
      `A job waits for at most ${mostParents} others, not for ${dependencies.length}.`,
      "input.dependsOn",
    );
  }
  const known = await read(dependencies.map(({ jobId }) => jobId));
  refuseUnknown(request, known);
  const problems = resultProblems(request, known);
  if (problems.length > 0) throw new InvalidRunError(problems);
  return {
    dependsOn: dependencies.map((one) => ({ ...one, shownId: idText("job", one.jobId) })),
    inputsFrom: inputsFrom.length === 0 ? null : inputsFrom,
  };
}

/** A result is there when the parent has succeeded, unless the request says otherwise of it. */
function allDependencies(dependsOn: readonly Dependency[], inputsFrom: readonly InputFrom[]): Dependency[] {
  const byParent = new Map<string, Dependency>();
  for (const [index, dependency] of dependsOn.entries()) {
    const { jobId } = dependency;
    if (byParent.has(jobId)) {
      throw new BadInputError(`The job ${idText("job", jobId)} is named twice.`, `input.dependsOn.${index}.job`);
    }
    byParent.set(jobId, dependency);
  }
  for (const { jobId } of inputsFrom) {
    if (!byParent.has(jobId)) byParent.set(jobId, { jobId, when: "succeeded", otherwise: "cancel" });
  }
  return [...byParent.values()];
}

/** The final variables of these jobs; null where nobody knows. */
export async function readParents(sql: Sql, jobIds: readonly string[]): Promise<Map<string, string[] | null>> {
  const rows = await sql<{ id: string; finalVars: string[] | null }[]>`
    select j.id, coalesce(r.final_vars, p.description -> 'finalVars') as "finalVars"
    from jobs j
    join job_requests r on r.job_id = j.id
    left join pipelines p on p.project = j.project and p.name = j.pipeline
    where j.id = any(${jobIds as string[]}::uuid[])`;
  return new Map(rows.map(({ id, finalVars }) => [id, finalVars]));
}

function refuseUnknown({ dependsOn = [], inputsFrom = [] }: Asked, known: ReadonlyMap<string, unknown>): void {
  const named = [
    ...dependsOn.map(({ jobId }, index) => ({ jobId, path: `input.dependsOn.${index}.job` })),
    ...inputsFrom.map(({ jobId }, index) => ({ jobId, path: `input.inputsFrom.${index}.job` })),
  ];
  for (const { jobId, path } of named) {
    if (!known.has(jobId)) throw new NotFoundError("job", idText("job", jobId), path);
  }
}

function resultProblems({ inputs, inputsFrom = [] }: Asked, known: ReadonlyMap<string, string[] | null>): Problem[] {
  return inputsFrom.flatMap(({ input, jobId, variable }, index): Problem[] => {
    const path = `input.inputsFrom.${index}`;
    const earlier = inputsFrom.findIndex((other) => other.input === input);
    if (Object.hasOwn(inputs, input) || earlier < index) {
      return [{ path: `${path}.input`, message: `The input ${input} is given twice.`, suggestion: null }];
    }
    const finalVars = known.get(jobId) ?? null;
    if (finalVars === null || finalVars.includes(variable)) return [];
    const message = `The job ${idText("job", jobId)} has no result ${variable}: that is none of its final variables.`;
    return [{ path: `${path}.variable`, message, suggestion: nearest(variable, finalVars) }];
  });
}

/** Of these jobs those whose parents have been deleted since they were checked, by their ids, with the first such parent. */
export async function goneParents(
  sql: Sql,
  jobs: readonly Pick<NewJob, "id" | "dependsOn">[],
): Promise<Map<string, NotFoundError>> {
  const named = jobs.flatMap(({ dependsOn }) => dependsOn.map(({ jobId }) => jobId));
  if (named.length === 0) return new Map();
  const rows = await sql<{ id: string }[]>`select id from jobs where id = any(${[...new Set(named)]}::uuid[])`;
  const known = new Set(rows.map(({ id }) => id));
  return new Map(
    jobs.flatMap(({ id, dependsOn }): [string, NotFoundError][] => {
      const gone = dependsOn.find(({ jobId }) => !known.has(jobId));
      return gone === undefined ? [] : [[id, new NotFoundError("job", gone.shownId, "input.dependsOn")]];
    }),
  );
}
