import type { EventData } from "../domain/event-types.ts";
import { builder } from "./builder.ts";

type Change = EventData<"job.updated">["changes"][number];

/** Values of inputs are seen by whom they concern; when and where a job runs, by all who see jobs. */
const seenWith = ({ field }: Change) => (field.startsWith("inputs.") ? { payloads: true } : { read: true });

export const JobChange = builder.objectRef<Change>("JobChange").implement({
  description: "One thing about a job that somebody has changed.",
  fields: (t) => ({
    field: t.exposeString("field", {
      description: "What: `priority`, `queue`, `runAt`, `expiresAt`, `tags` or `inputs.<name>`.",
    }),
    from: t.field({
      type: "JSON",
      nullable: true,
      description:
        "What it was; null when there was none. Of an input null without the right `payloads`, and hidden when its name is that of a secret.",
      authScopes: seenWith,
      unauthorizedResolver: () => null,
      resolve: ({ from }) => from,
    }),
    to: t.field({
      type: "JSON",
      nullable: true,
      description: "What it is now, in the same way.",
      authScopes: seenWith,
      unauthorizedResolver: () => null,
      resolve: ({ to }) => to,
    }),
  }),
});
