import type { Problem as ProblemShape } from "../domain/errors.ts";
import { builder } from "./builder.ts";

export const Problem = builder.objectRef<ProblemShape>("Problem").implement({
  description: "One thing that is wrong.",
  fields: (t) => ({
    path: t.exposeString("path", {
      description: "Where: the path of the field as the caller sent it, or a file and its key.",
    }),
    message: t.exposeString("message", { description: "What is wrong, for a person." }),
    suggestion: t.exposeString("suggestion", {
      nullable: true,
      description: "What was probably meant; null when nothing is near.",
    }),
  }),
});
