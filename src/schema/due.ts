/** When a job that is asked for is due, and when it has waited for too long. */
import { z } from "zod";
import { BadInputError } from "../domain/errors.ts";
import type { RunRequest } from "../domain/run-request.ts";
import { builder } from "./builder.ts";

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

const yearMs = 366 * 86_400_000;
const lengthMs = z.int().min(0).max(yearMs).nullish();

export const dueFields = (t: InputFields) => ({
  runAt: t.field({ type: "DateTime", description: "When it is due; now when absent." }),
  runInMs: t.float({
    description:
      "Instead of `runAt`: due so long after the server has taken it, by the database's clock. At most a year.",
    validate: lengthMs,
  }),
  expiresAt: t.field({ type: "DateTime", description: "Not started by then, it expires; never when absent." }),
  expiresInMs: t.float({
    description: "Instead of `expiresAt`: it expires when it has not started so long after the server has taken it.",
    validate: lengthMs,
  }),
});

const Due = builder.inputType("DueInput", { description: "When a job is due.", fields: dueFields });

/** @throws BadInputError when one thing is said in two ways */
export function dueOf(
  input: typeof Due.$inferInput,
): Pick<RunRequest, "runAt" | "runInMs" | "expiresAt" | "expiresInMs"> {
  const { runAt = null, runInMs = null, expiresAt = null, expiresInMs = null } = input;
  if (runAt !== null && runInMs !== null) throw new BadInputError("Give either runAt or runInMs.", "input.runInMs");
  if (expiresAt !== null && expiresInMs !== null) {
    throw new BadInputError("Give either expiresAt or expiresInMs.", "input.expiresInMs");
  }
  return { runAt, expiresAt, ...(runInMs !== null && { runInMs }), ...(expiresInMs !== null && { expiresInMs }) };
}
