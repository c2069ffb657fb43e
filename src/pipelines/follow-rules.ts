import type { Sql } from "../db/client.ts";
import type { DependencyCondition } from "../domain/dependency.ts";
import type { Problem } from "../domain/errors.ts";
import { nearest } from "./nearest.ts";

/** What a pipeline's YAML says of what it follows, with what is wrong with it: such a rule makes no jobs. */
export interface FollowRule {
  /** The pipeline that follows. */
  pipeline: string;
  /** Its place in the list of that pipeline's YAML. */
  position: number;
  /** The pipeline of the same project that it follows. */
  leader: string;
  when: DependencyCondition;
  /** Final variables of the leader by the inputs that take them. */
  inputs: Record<string, string>;
  problem: Problem | null;
}

/** As much of a pipeline as rules are checked against. */
export interface Followable {
  name: string;
  after: { pipeline: string; when: DependencyCondition; inputs: Record<string, string> }[];
  /** Final variables that it may leave, and inputs that it takes; null: not known. */
  variables: string[] | null;
  inputs: string[] | null;
}

/** The rules of a project, each checked against all its pipelines. The project's name is that under which it is registered. */
export function followRules(project: string, pipelines: readonly Followable[]): FollowRule[] {
  const byName = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
  const rules = pipelines.flatMap((pipeline) => {
    const own = pipeline.after.map((rule, position): FollowRule => {
      const leader = rule.pipeline.startsWith(`${project}/`) ? rule.pipeline.slice(project.length + 1) : rule.pipeline;
      return { ...rule, pipeline: pipeline.name, position, leader, problem: null };
    });
    return own.map((rule) => ({ ...rule, problem: problemOf(rule, pipeline, byName, own) }));
  });
  return rules.map((rule) => ({ ...rule, problem: rule.problem ?? circleProblem(rule, rules) }));
}

function problemOf(
  rule: FollowRule,
  pipeline: Followable,
  byName: ReadonlyMap<string, Followable>,
  own: readonly FollowRule[],
): Problem | null {
  const { leader, when, inputs } = rule;
  const found = byName.get(leader);
  if (found === undefined) {
    if (leader.includes("/")) return wrong(rule, "pipeline", `${leader} is not of this project`);
    return wrong(rule, "pipeline", `there is no pipeline ${leader}`, nearest(leader, byName.keys()));
  }
  const earlier = own.slice(0, rule.position).find((other) => other.leader === leader && overlap(other.when, when));
  if (earlier !== undefined) {
    return wrong(rule, "when", `it follows ${leader} in that case already, by after.${earlier.position}`);
  }
  for (const [input, variable] of Object.entries(inputs)) {
    const place = `inputs.${input}`;
    if (when === "failed") return wrong(rule, place, `a job of ${leader} that has failed has no result`);
    if (pipeline.inputs !== null && !pipeline.inputs.includes(input)) {
      return wrong(rule, place, `${pipeline.name} has no input ${input}`, nearest(input, pipeline.inputs));
    }
    if (found.variables !== null && !found.variables.includes(variable)) {
      return wrong(rule, place, `${leader} has no final variable ${variable}`, nearest(variable, found.variables));
    }
  }
  return null;
}

function overlap(one: DependencyCondition, other: DependencyCondition): boolean {
  return one === other || one === "ended" || other === "ended";
}

/** A rule is refused that leads from a pipeline to itself, by whatever way; those that lead into the circle are not. */
function circleProblem(rule: FollowRule, rules: readonly FollowRule[]): Problem | null {
  const way = wayBetween(rule.pipeline, rule.leader, rules);
  if (way === null) return null;
  return wrong(rule, "pipeline", `goes round in a circle: ${[rule.leader, ...way].join(" → ")}`);
}

/** The pipelines from one to another along what follows, both included; the shortest way, or null. */
function wayBetween(from: string, to: string, rules: readonly FollowRule[]): string[] | null {
  const before = new Map<string, string | null>([[from, null]]);
  for (const at of before.keys()) {
    if (at === to) {
      const way: string[] = [];
      for (let step: string | null = at; step !== null; step = before.get(step) ?? null) way.unshift(step);
      return way;
    }
    // A map that grows while it is walked is walked to its new end.
    for (const { leader, pipeline } of rules) if (leader === at && !before.has(pipeline)) before.set(pipeline, at);
  }
  return null;
}

function wrong(
  { pipeline, position }: FollowRule,
  key: string,
  message: string,
  suggestion: string | null = null,
): Problem {
  const meant = suggestion === null ? "" : `. Did you mean ${suggestion}?`;
  const path = `conf/pipelines/${pipeline}.yml: job_queue.after.${position}.${key}`;
  return { path, message: `${message}${meant}`, suggestion };
}

/** Puts down the rules of a project as its pipelines are published in this transaction. */
export async function storeFollowRules(sql: Sql, project: string): Promise<void> {
  // What is broken follows as before, so that each end of what it follows tells why nothing came of it.
  const pipelines = await sql<Followable[]>`
    select p.name,
      coalesce(nullif(p.description #> '{jobQueue,after}', 'null'), nullif(d.shown #> '{jobQueue,after}', 'null'), '[]') as after,
      case when jsonb_typeof(d.shown -> 'graph') = 'object' then coalesce(
        nullif(d.shown -> 'finalVars', 'null'), jsonb_path_query_array(d.shown, '$.graph.nodes[*].name')
      ) end as variables,
      case when jsonb_typeof(d.shown -> 'graph') = 'object' then jsonb_path_query_array(d.shown, '$.inputs[*].name') end as inputs
    from pipelines p
    cross join lateral (select case when p.status = 'broken' then p.last_good else p.description end as shown) d
    where p.project = ${project} order by p.name`;
  const rules = followRules(project, pipelines);
  await sql`delete from follow_rules where project = ${project}`;
  if (rules.length === 0) return;
  await sql`
    insert into follow_rules (project, pipeline, position, leader, run_when, inputs, problem)
    select ${project}, r.pipeline, r.position, r.leader, r."when", r.inputs, r.problem
    from jsonb_to_recordset(${sql.json(rules as never)}) as r (
      pipeline text, position int, leader text, "when" text, inputs jsonb, problem jsonb
    )`;
}
