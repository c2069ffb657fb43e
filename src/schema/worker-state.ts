import { builder } from "./builder.ts";

export const WorkerState = builder.enumType("WorkerState", {
  description: "Where a worker is in its life.",
  values: {
    RUNNING: { value: "running", description: "It takes jobs." },
    DRAINING: { value: "draining", description: "It finishes what it has and takes nothing new." },
    STOPPED: { value: "stopped", description: "It has ended in good order." },
    DEAD: { value: "dead", description: "It vanished; others have taken over its jobs." },
  } as const,
});
