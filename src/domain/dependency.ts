import type { FinalState } from "./lifecycle.ts";

/** How the parent has to have ended for the job to run. `ended`: in whatever way. */
export const dependencyConditions = ["succeeded", "failed", "ended"] as const;
export type DependencyCondition = (typeof dependencyConditions)[number];

/** What becomes of the job when the parent has ended in another way. */
export const dependencyPolicies = ["cancel", "block"] as const;
export type DependencyPolicy = (typeof dependencyPolicies)[number];

/** A job that another one waits for. */
export interface Dependency {
  /** The parent. */
  jobId: string;
  when: DependencyCondition;
  otherwise: DependencyPolicy;
}

/** An input that is a final variable of a parent, read when the attempt starts. */
export interface InputFrom {
  input: string;
  jobId: string;
  variable: string;
}

/** So many parents a job has at the most. */
export const mostParents = 100;

/** How the end of a parent is told. */
export const howEnded = {
  succeeded: "has succeeded",
  failed: "has failed",
  cancelled: "was cancelled",
  expired: "has expired",
} as const satisfies Record<FinalState, string>;

/** Why a job was cancelled: a parent has ended in a way after which it was not to run. */
export function whyCancelled(parent: string, state: FinalState): string {
  return `${parent}, which it waited for, ${howEnded[state]}`;
}
