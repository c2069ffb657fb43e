import { z } from "zod";

/** How much a run may take from earlier ones. resume: of this job's earlier attempts and the jobs it was rerun from. full: of any job. */
export const reuseModes = ["none", "resume", "full"] as const;
export type ReuseMode = (typeof reuseModes)[number];

/** For how long a value is kept for reuse since it was stored or last used. */
export const reuseKeptMs = 7 * 24 * 3_600_000;

/** Why a node was reused, or ran although reuse was asked for. */
export const nodeReasonCodes = [
  "hit",
  "code_changed",
  "input_changed",
  "recompute_asked",
  "nothing_stored",
  "loads_or_saves",
  "no_upstream",
  "not_reusable",
] as const;
export type NodeReasonCode = (typeof nodeReasonCodes)[number];

export const nodeReasonSchema = z.object({
  code: z.enum(nodeReasonCodes),
  /** For a person: `input changed: min_price`. */
  text: z.string(),
  /** The job and attempt that computed a reused value; null for a node that ran. */
  job: z.string().nullable(),
  attempt: z.number().int().nullable(),
});
export type NodeReason = z.infer<typeof nodeReasonSchema>;

/** What a node's code looks like it does with the world: `loads` and `saves` are declared, the others guessed from its calls. */
export const nodeEffects = ["loads", "saves", "may_load", "may_save"] as const;
export type NodeEffect = (typeof nodeEffects)[number];
