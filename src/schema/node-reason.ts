import type { NodeReason as NodeReasonShape } from "../domain/reuse.ts";
import { builder } from "./builder.ts";

export const NodeReasonCode = builder.enumType("NodeReasonCode", {
  description: "Why a node was reused, or ran although reuse was asked for.",
  values: {
    HIT: { value: "hit", description: "Reused: it was computed before, by the same code from equal inputs." },
    CODE_CHANGED: {
      value: "code_changed",
      description: "It ran: its function, or code that it leads to, has changed.",
    },
    INPUT_CHANGED: { value: "input_changed", description: "It ran: an input or an upstream node has another value." },
    RECOMPUTE_ASKED: { value: "recompute_asked", description: "It ran: the request or its code asked for it." },
    NOTHING_STORED: {
      value: "nothing_stored",
      description: "It ran: no result of it is stored, or none that can be read.",
    },
    LOADS_OR_SAVES: {
      value: "loads_or_saves",
      description: "It ran: it loads or saves data, which a stored value would leave out.",
    },
    NO_UPSTREAM: {
      value: "no_upstream",
      description: "It ran: it depends on no other node, so what it reads may have changed.",
    },
    NOT_REUSABLE: { value: "not_reusable", description: "It ran: its value cannot be stored or compared." },
  } as const satisfies {
    [K in NodeReasonShape["code"] as Uppercase<K>]: { value: K; description: string };
  },
});

export const NodeReason = builder.objectRef<NodeReasonShape>("NodeReason").implement({
  description: "Why a node was reused, or ran although reuse was asked for.",
  fields: (t) => ({
    code: t.expose("code", { type: NodeReasonCode, description: "The kind of reason." }),
    text: t.exposeString("text", { description: "For a person: `input changed: min_price`." }),
    jobId: t.id({
      nullable: true,
      description: "Of a reused node: the job that computed its value. Null for others.",
      resolve: ({ job }) => job,
    }),
    attempt: t.exposeInt("attempt", {
      nullable: true,
      description: "Of a reused node: that job's attempt. Null for others.",
    }),
  }),
});
