import { idText } from "../domain/ids.ts";
import type { StoredProblem } from "../domain/operation.ts";
import { builder } from "./builder.ts";
import { JobStateEnum } from "./job-state.ts";

export const BulkProblemRef = builder.objectRef<StoredProblem>("BulkProblem").implement({
  description: "A job to which it was not done.",
  fields: (t) => ({
    id: t.id({ description: "The job's id.", resolve: ({ id }) => idText("job", id) }),
    code: t.exposeString("code", {
      description:
        "Why not, for programs: `NOT_FOUND`; `CONFLICT`: its state; `QUEUE_FULL`; `AWAITED`: others wait for it.",
    }),
    message: t.exposeString("message", { description: "Why not, for people." }),
    state: t.expose("state", {
      type: JobStateEnum,
      nullable: true,
      description: "The state that it was in, when that is why; null when it is not.",
    }),
  }),
});
