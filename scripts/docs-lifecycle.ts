import { finalStates, type TransitionName, transitions, yieldsToCancel } from "../src/domain/lifecycle.ts";

const meanings: Record<TransitionName, string> = {
  promote: "it has become due, or what it waited for has ended",
  schedule: "what it waited for has ended, and it is due later",
  postpone: "somebody has changed when it is due",
  start: "a worker has begun the next attempt",
  succeed: "the run has succeeded",
  retry: "the attempt failed and another one is due later",
  fail: "the attempt failed and none is left, or none was wanted",
  release: "the worker stops and hands it back, uncounted",
  rescue: "its worker or its Python process was lost",
  cancel: "somebody cancelled it before a worker had it, or a job that it waited for did not end as it should",
  stop: "its worker has stopped it because somebody cancelled it",
  expire: "it was not started before its time to live ended",
  requeue: "somebody wants it again: the next life begins",
};

/** The states, the ways between them, and the event of each, as the one table of transitions has them. */
export function lifecyclePage(): string {
  const arrows = Object.entries(transitions).flatMap(([name, { from, to }]) =>
    from.map((state) => `  ${state} --> ${to}: ${name}`),
  );
  const rows = (Object.keys(transitions) as TransitionName[]).map((name) => {
    const { from, to, event } = transitions[name];
    const cancelled = yieldsToCancel(name) ? " (`cancelled`, when a cancel was requested meanwhile)" : "";
    return `| ${name} | ${from.join(", ")} | ${to}${cancelled} | \`${event}\` | ${meanings[name]} |`;
  });
  return `# Life of a job

Made from \`src/domain/lifecycle.ts\` by \`npm run docs\`.

\`\`\`mermaid
stateDiagram-v2
  [*] --> scheduled
  [*] --> blocked
  [*] --> queued
${arrows.join("\n")}
${finalStates.map((state) => `  ${state} --> [*]`).join("\n")}
\`\`\`

| transition | from | to | event | when |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

A job moves only by these, in one guarded statement: from one of the states in the second column, and only for the attempt that
the caller knows. Each move records its event in the same transaction. Final states are ${finalStates.join(", ")}; each life of a job has
exactly one event that ends it, and none after it.

**Counters.** \`attempt\` only grows and fences late writers. \`failures\` is held against \`maxAttempts\`, \`losses\` (of workers and
Python processes) against \`maxLosses\`. A requeue opens the next \`life\`, in which both begin again.
`;
}
