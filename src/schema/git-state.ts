import type { GitState as GitStateShape } from "../pipelines/git.ts";
import { builder } from "./builder.ts";

export const GitState = builder.objectRef<GitStateShape>("GitState").implement({
  description: "The repository that a project's folder lies in.",
  fields: (t) => ({
    commit: t.exposeString("commit", { description: "The commit that is checked out." }),
    dirty: t.exposeBoolean("dirty", {
      description:
        "Whether a tracked file of the project differs from it, or some code or configuration is not tracked.",
    }),
    branch: t.exposeString("branch", { nullable: true, description: "The branch; null when none is checked out." }),
    remote: t.exposeString("remote", {
      nullable: true,
      description: "Where it was cloned from, without credentials; null when from nowhere.",
    }),
  }),
});
