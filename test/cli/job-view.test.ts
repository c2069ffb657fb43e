import { expect, it } from "vitest";
import { frame } from "../../src/cli/frame.ts";
import { viewOf } from "../../src/cli/job-view.ts";
import { unicode } from "../../src/cli/terminal.ts";
import type { Job, NodeRun } from "../../src/client/client.ts";

const canvas = { paint: (_format: unknown, text: string) => text, symbols: unicode, columns: 80, rows: 24 };

function run(node: string, given: Partial<NodeRun>): NodeRun {
  const plain = { node, branch: null, branches: null, state: "SUCCEEDED", durationMs: 2, summary: null, reason: null };
  return { ...plain, regression: null, error: null, startedAt: null, ...given } as NodeRun;
}

/** A job with a node that was expanded into five branches, of which so many have begun. */
function lines(state: Job["state"], branches: readonly NodeRun["state"][]): string[] {
  const ended = ["SUCCEEDED", "FAILED", "CANCELLED"].includes(state);
  const job = {
    id: "job_01m83ysvz2e0080003b6g7r9q8",
    project: "shop",
    pipeline: "wide",
    state,
    attempt: 1,
    waitingFor: null,
    runAt: "2026-11-25T10:00:00.000Z",
    startedAt: "2026-11-25T10:00:00.000Z",
    finishedAt: ended ? "2026-11-25T10:00:01.000Z" : null,
    lastAttempt: { path: ["item", "squared", "total"] },
    plan: null,
    progress: { done: 1, total: 7, leftMs: null },
  } as unknown as Job;
  const squared = branches.map((one, index) =>
    run("squared", { branch: `expand-item.${index}.block-item`, state: one }),
  );
  return frame(viewOf(job, [run("item", { branches: 5 }), ...squared]), canvas as never, Date.now());
}

it("counts the branches of a node among all into which it was expanded, not only among those that have begun", () => {
  expect(lines("FAILED", ["SUCCEEDED", "FAILED"])[2]).toMatch(/^├ ✗ squared 1\/5 /);
  expect(lines("CANCELLED", ["SUCCEEDED", "SUCCEEDED"])[2]).toMatch(/^├ – squared 2\/5 /);
  expect(lines("RUNNING", ["SUCCEEDED"])[2]).toMatch(/^├ \S squared 1\/5 /);
  expect(lines("SUCCEEDED", Array(5).fill("SUCCEEDED"))[2]).toMatch(/^├ ✓ squared 5\/5 /);
  expect(lines("SUCCEEDED", Array(5).fill("REUSED"))[2]).toMatch(/^├ ↺ squared 5\/5 /);
});
