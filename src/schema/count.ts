import { builder } from "./builder.ts";
import { limits } from "./limits.ts";

export interface Count {
  value: number;
  isExact: boolean;
}

export const BoundedCount = builder.objectRef<Count>("BoundedCount").implement({
  description: `How many there are. Counting stops at ${limits.count.toLocaleString("en")} where nothing else is said.`,
  fields: (t) => ({
    value: t.exposeInt("value", { description: "How many, or the bound." }),
    isExact: t.exposeBoolean("isExact", { description: "False when there are more than `value`." }),
  }),
});

/** From a count that stopped one past the bound. */
export function boundedCount(counted: number): Count {
  return { value: Math.min(counted, limits.count), isExact: counted <= limits.count };
}
