import { describe, expect, it } from "vitest";
import { type Canvas, frame } from "../../src/cli/frame.ts";
import { plainLine } from "../../src/cli/plain-line.ts";
import { apply, startView } from "../../src/cli/run-view.ts";
import { ascii, unicode } from "../../src/cli/terminal.ts";
import type { JobEvent } from "../../src/client/client.ts";

const startedAt = Date.parse("2026-11-23T10:00:00.000Z");
const job = { id: "job_01m83zzqehe0080002t2yjk7fq2m", project: "flights", pipeline: "daily_report" };
const canvas: Canvas = { paint: (_format, text) => text, symbols: unicode, columns: 80, rows: 24 };

type Given<T extends JobEvent["__typename"]> = Omit<
  Extract<JobEvent, { __typename: T }>,
  | "__typename"
  | "cursor"
  | "jobId"
  | "seq"
  | "attempt"
  | "type"
  | "recordedAt"
  | "occurredAt"
  | "node"
  | "branch"
  | "whyRun"
  | "stored"
> & { node?: string; branch?: string; whyRun?: object; stored?: boolean };

let seq = 0;

/** An event that happened so many milliseconds after the start. */
function event<T extends JobEvent["__typename"]>(__typename: T, afterMs: number, given: Given<T>): JobEvent {
  seq += 1;
  const at = new Date(startedAt + afterMs).toISOString();
  const common = {
    cursor: `c${seq}`,
    jobId: job.id,
    seq,
    attempt: 1,
    type: __typename,
    recordedAt: at,
    occurredAt: at,
  };
  return { node: null, branch: null, ...common, ...given, __typename } as unknown as JobEvent;
}

function frameSummary(rows: number, columns: number, bytes: number) {
  return { type: "pandas.DataFrame", shape: [rows, columns], length: null, bytes, columns: null, preview: null };
}

const float = { type: "float", shape: null, length: null, bytes: null, columns: null, preview: "40.63" };

const path = ["raw_flights", "airport", "airport_profile", "airport_profiles", "weather_effect"];
const branch = (index: number) => `expand-airport.${index}.block-airport`;

/** A run with four branches, as its events come. */
function run(): JobEvent[] {
  return [
    event("JobStarted", 0, { worker: "wkr_1" }),
    event("RunResolved", 1, { codeHash: "c0de", path, finalVars: ["weather_effect"] }),
    event("NodeStarted", 2, { node: "raw_flights" }),
    event("LogLine", 3, {
      node: "raw_flights",
      level: "INFO",
      stream: "loguru",
      logger: "x",
      text: "read\u001b[31m july",
    }),
    event("NodeSucceeded", 414, {
      node: "raw_flights",
      durationMs: 412,
      cpuMs: 400,
      summary: frameSummary(48_213, 9, 3_400_000),
    }),
    event("NodeExpanded", 420, { node: "airport", count: 4, nodes: ["airport_profile"] }),
    event("NodeSucceeded", 421, {
      node: "airport",
      durationMs: 5,
      cpuMs: 5,
      summary: { ...float, type: "list", length: 4, preview: null },
    }),
    event("NodeStarted", 500, { node: "airport_profile", branch: branch(0) }),
    event("NodeStarted", 500, { node: "airport_profile", branch: branch(1) }),
    event("NodeSucceeded", 588, {
      node: "airport_profile",
      branch: branch(0),
      durationMs: 88,
      cpuMs: 1,
      summary: float,
    }),
    event("NodeStarted", 590, { node: "weather_effect" }),
  ];
}

function viewOf(events: readonly JobEvent[]) {
  const view = startView(job, null);
  for (const each of events) apply(view, each);
  return view;
}

describe("frame", () => {
  it("shows a running job: what is done, what runs, what waits", () => {
    const lines = frame(viewOf(run()), canvas, startedAt + 2600);
    expect(lines).toEqual([
      "flights/daily_report  …k7fq2m  RUNNING          attempt 1  ███░░░░░░░ 3/8  2.6 s",
      "├ ✓ raw_flights            412 ms   DataFrame 48\u202f213 × 9, 3.4 MB",
      "├ ✓ airport                  5 ms   list of 4",
      expect.stringMatching(/^├ . airport_profile 1\/4 {13}1 running, median 88 ms, slowest #0 88 ms$/),
      "├ · airport_profiles",
      expect.stringMatching(/^└ . weather_effect {10}2\.0 s$/),
      "  log  raw_flights  INFO  read [31m july  (1 line: logs k7fq2m)",
    ]);
  });

  it("counts down what is left, where that is known, in place of a first attempt's number", () => {
    const view = viewOf(run());
    view.left = { ms: 4000, at: startedAt + 2000 };
    const head = (now: number) => frame(view, canvas, now)[0] ?? "";
    expect(head(startedAt + 2600)).toBe(
      "flights/daily_report  …k7fq2m  RUNNING        ~3.4 s left  ███░░░░░░░ 3/8  2.6 s",
    );
    // It takes longer than was thought: nothing is said any more.
    expect(head(startedAt + 5600)).toContain("attempt 1");
    view.attempt = 2;
    expect(head(startedAt + 2600)).toContain("attempt 2  ~3.4 s left");
    view.state = "SUCCEEDED";
    expect(head(startedAt + 2600)).not.toContain("left");
  });

  it("says what was slower than usual", () => {
    const view = viewOf(run());
    const node = view.nodes.get("raw_flights");
    if (node !== undefined) node.regression = { factor: 2.42, baselineP95Ms: 170 };
    expect(frame(view, { ...canvas, columns: 120 }, startedAt + 2600)[1]).toBe(
      "├ ✓ raw_flights            412 ms   DataFrame 48\u202f213 × 9, 3.4 MB, 2.4 times as long as usual (p95 170 ms)",
    );
  });

  it("turns a sign for what runs", () => {
    const view = viewOf(run());
    const signs = [0, 120, 240].map((ms) => frame(view, canvas, startedAt + ms)[3]?.charAt(2));
    expect(new Set(signs).size).toBe(3);
    expect(unicode.running).toContain(signs[0]);
  });

  it("folds branches when they are done, and keeps their slowest", () => {
    const rest = [1, 2, 3].map((index) =>
      event("NodeSucceeded", 900, {
        node: "airport_profile",
        branch: branch(index),
        durationMs: 100 * index,
        cpuMs: 1,
        summary: float,
      }),
    );
    const lines = frame(viewOf([...run(), ...rest]), canvas, startedAt + 1000);
    expect(lines[3]).toBe("├ ✓ airport_profile 4/4             median 200 ms, slowest #3 300 ms");
  });

  it("shows a failed job: the node with its error, the rest stopped or never begun", () => {
    const error = { kind: "PIPELINE" as const, type: "ValueError", message: "no rain", node: "weather_effect" };
    const view = viewOf([
      ...run(),
      event("NodeFailed", 700, { node: "weather_effect", durationMs: 110, error }),
      event("JobFailed", 710, { error }),
    ]);
    const lines = frame(view, canvas, startedAt + 60_000);
    expect(lines[0]).toBe("flights/daily_report  …k7fq2m  FAILED          attempt 1  ███░░░░░░░ 3/8  710 ms");
    expect(lines[3]).toMatch(/^├ – airport_profile 1\/4/);
    expect(lines[5]).toBe("└ ✗ weather_effect         110 ms   ValueError: no rain");
  });

  it("shows what was reused, and why the rest ran", () => {
    const reason = (code: string, text: string, jobId: string | null = null) => ({ code, text, jobId, attempt: 1 });
    const hit = reason("HIT", "hit: computed by job_x, attempt 1", "job_01m83zzqehe0080002t2yjk7fq2k") as never;
    const events = [
      event("JobStarted", 0, { worker: "wkr_1" }),
      event("RunResolved", 1, { codeHash: "c0de", path, finalVars: ["weather_effect"] }),
      event("NodeReused", 2, { node: "raw_flights", whyReused: hit, summary: frameSummary(48_213, 9, 3_400_000) }),
      event("NodeExpanded", 3, { node: "airport", count: 2, nodes: ["airport_profile"] }),
      ...[0, 1].map((n) =>
        event("NodeReused", 4, { node: "airport_profile", branch: branch(n), whyReused: hit, summary: float }),
      ),
      event("NodeStarted", 5, { node: "weather_effect", whyRun: reason("CODE_CHANGED", "code changed") }),
      event("NodeSucceeded", 6, { node: "weather_effect", durationMs: 2, cpuMs: 1, summary: float }),
    ];
    const lines = frame(viewOf(events), canvas, startedAt + 10);
    expect(lines[0]).toContain("4/6");
    expect(lines[1]).toBe("├ ↺ raw_flights                     DataFrame 48\u202f213 × 9, 3.4 MB, reused: …k7fq…");
    expect(lines[3]).toBe("├ ↺ airport_profile 2/2             2 reused");
    expect(lines[5]).toBe("└ ✓ weather_effect           2 ms   float 40.63, code changed");
    const plain = events.map((each, n) => plainLine(viewOf(events.slice(0, n + 1)), each, ascii)?.slice(10));
    expect(plain.filter((line) => line?.includes("="))).toEqual([
      "[1/5] = raw_flights  DataFrame 48 213 x 9, 3.4 MB, reused: ...k7fq2k, attempt 1",
      "[3/6] = airport_profile 2/2  2 reused",
    ]);
  });

  it("stays as it was when artifacts are stored", () => {
    const stored = event("ArtifactStored", 3000, {
      artifactId: "art_1",
      name: "weather_effect",
      artifactKind: "RESULT",
      mediaType: "text/csv",
      storedBytes: 3,
      omitted: null,
    });
    const [before, after] = [viewOf(run()), viewOf([...run(), stored])];
    expect(frame(after, canvas, startedAt + 2600)).toEqual(frame(before, canvas, startedAt + 2600));
    expect(plainLine(after, { ...stored, node: "weather_effect" }, unicode)).toBeNull();
  });

  it("begins anew with the next attempt, and says what became of the last", () => {
    const error = { kind: "PIPELINE" as const, type: "OSError", message: "gone", node: null };
    const planned = event("JobRetryPlanned", 700, {
      error,
      failures: 1,
      maxAttempts: 3,
      runAt: "2026-11-23T10:00:02.000Z",
    });
    const again = { ...event("JobStarted", 2000, { worker: "wkr_1" }), attempt: 2 };
    expect(frame(viewOf([...run(), planned, again]), canvas, startedAt + 2100)).toEqual([
      "flights/daily_report  …k7fq2m  RUNNING                         attempt 2  100 ms",
      "  note: attempt 1 failed and is tried again: OSError: gone",
      "  log  raw_flights  INFO  read [31m july  (1 line: logs k7fq2m)",
    ]);
  });

  it("fits its window: at most as many lines as it has rows, at most as many columns", () => {
    const names = Array.from({ length: 60 }, (_, index) => `node_${index}_with_a_rather_long_name_that_goes_on`);
    const events = [
      event("JobStarted", 0, { worker: "wkr_1" }),
      event("RunResolved", 1, { codeHash: "c0de", path: names, finalVars: [] }),
      ...names
        .slice(0, 30)
        .map((node) =>
          event("NodeSucceeded", 5, { node, durationMs: 1, cpuMs: 1, summary: { ...float, preview: "9".repeat(300) } }),
        ),
      event("NodeStarted", 6, { node: names[45] as string }),
      event("LogLine", 7, { level: "INFO", stream: "stdout", logger: null, text: "a long line ".repeat(30) }),
    ];
    const lines = frame(viewOf(events), canvas, startedAt + 10);
    expect(lines.length).toBeLessThanOrEqual(canvas.rows);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(canvas.columns);
    expect(lines.join("\n")).toContain("node_45"); // what runs is always seen
    expect(lines.join("\n")).toMatch(/42 more nodes: 13 done, 29 waiting/);
  });

  it("needs nothing but ASCII where there is nothing else", () => {
    const text = frame(viewOf(run()), { ...canvas, symbols: ascii }, startedAt + 2600).join("\n");
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(text).toContain("###------- 3/8");
  });

  it("says why a job waits", () => {
    const view = startView(job, "no worker has project flights");
    expect(frame(view, canvas, startedAt)).toEqual([
      "flights/daily_report  …k7fq2m  QUEUED",
      "  waiting: no worker has project flights",
    ]);
  });
});

describe("plain lines", () => {
  it("say one thing per node that ended and per turn of the job", () => {
    const view = startView(job, null);
    const error = { kind: "PIPELINE" as const, type: "ValueError", message: "no\nrain", node: "weather_effect" };
    const events = [
      ...run(),
      ...[1, 2, 3].map((index) =>
        event("NodeSucceeded", 900, {
          node: "airport_profile",
          branch: branch(index),
          durationMs: 100 * index,
          cpuMs: 1,
          summary: float,
        }),
      ),
      event("NodeFailed", 950, { node: "weather_effect", durationMs: 110, error }),
      event("JobFailed", 1000, { error }),
    ];
    const lines = events.map((each) => {
      apply(view, each);
      return plainLine(view, each, unicode)?.slice("10:00:00  ".length) ?? null;
    });
    expect(lines.filter((line) => line !== null)).toEqual([
      `flights/daily_report ${job.id} started, attempt 1`,
      "5 nodes will run",
      "[1/5] ✓ raw_flights  412 ms  DataFrame 48\u202f213 × 9, 3.4 MB",
      "[2/8] ✓ airport  5 ms  list of 4",
      "[6/8] ✓ airport_profile 4/4  median 200 ms, slowest #3 300 ms",
      "✗ weather_effect  110 ms  ValueError: no ⏎ rain",
      `flights/daily_report ${job.id} failed after 1.0 s`,
    ]);
  });
});
