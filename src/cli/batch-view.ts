/** Batches as lines of a terminal. */
import type { Batch, BatchEvent, JobState, ListedBatch } from "../client/client.ts";
import { shortId } from "./frame.ts";
import { table } from "./table.ts";
import { clip, type Paint, printable, type Terminal } from "./terminal.ts";
import { counted, dayAndClock, duration, localTime, utcOffset } from "./units.ts";

type Canvas = Pick<Terminal, "paint" | "symbols" | "columns">;

export const batchColours: Record<Batch["state"], Paint> = {
  RUNNING: "blue",
  SUCCEEDED: "green",
  FAILED: "red",
  CANCELLED: "yellow",
};

const barWidth = 20;

/** How far it is, in one line: `612/1000  3 failed, 4 running, 384 queued  ~2 min left`. */
export function progressText({ progress, state, startedAt, finishedAt }: ListedBatch): string {
  const { done, total, leftMs } = progress;
  const others = countsText(progress.counts.filter((each) => each.state !== "SUCCEEDED"));
  const left = leftMs === null ? "" : `~${duration(leftMs)} left`;
  const took =
    startedAt === null || finishedAt === null ? "" : duration(Date.parse(finishedAt) - Date.parse(startedAt));
  const time = state === "RUNNING" ? left : took;
  return [`${done}/${total}`, others, time].filter((part) => part !== "").join("  ");
}

function countsText(counts: ListedBatch["progress"]["counts"]): string {
  return counts.map(({ state, count }) => `${count.value} ${state.toLowerCase()}`).join(", ");
}

/** A batch that runs, as it is drawn anew all the time. */
export function liveLines(batch: Batch, { paint, symbols, columns }: Canvas): string[] {
  const { done, total } = batch.progress;
  const filled = total === 0 ? 0 : Math.floor((done / total) * barWidth);
  const bar = symbols.full.repeat(filled) + symbols.empty.repeat(barWidth - filled);
  const id = shortId(batch.id, symbols);
  const name = clip(titleOf(batch), Math.max(columns - id.length - batch.state.length - 4, 8), symbols.ellipsis);
  return [
    `${paint("bold", name)}  ${paint("dim", id)}  ${paint(batchColours[batch.state], batch.state)}`,
    clip(`${bar}  ${progressText(batch)}`, columns, symbols.ellipsis),
  ];
}

/** In a pipe: one line each time that something is worth one. */
export function plainProgress(batch: Batch): string {
  return `${batch.id} ${batch.state.toLowerCase()}  ${progressText(batch)}`;
}

export function titleOf({ name, project, pipeline }: ListedBatch): string {
  const what = project === null ? "several projects" : pipeline === null ? project : `${project}/${pipeline}`;
  return printable(name === null ? what : `${name} (${what})`);
}

export function batchTable(batches: readonly ListedBatch[], { symbols, columns, paint }: Canvas): string[] {
  const rows = batches.map((batch) => [
    shortId(batch.id, symbols),
    batch.state,
    titleOf(batch),
    dayAndClock(new Date(batch.createdAt)),
    progressText(batch),
  ]);
  const head = ["BATCH", "STATE", "NAME", `ENQUEUED ${utcOffset(new Date(batches[0]?.createdAt ?? 0))}`, "DONE"];
  return table(head, rows, columns, symbols.ellipsis, (text, column, row) => {
    if (row === null) return paint("dim", text);
    return column === 1 ? paint(batchColours[text.trim() as Batch["state"]], text) : text;
  });
}

/** All about one. */
export function batchLines(batch: Batch, events: readonly BatchEvent[], { paint, symbols, columns }: Canvas): string[] {
  const { onComplete, progress } = batch;
  const then =
    onComplete === null
      ? ""
      : `${shortId(onComplete.id, symbols)} ${onComplete.project}/${onComplete.pipeline} ${onComplete.state.toLowerCase()}`;
  const facts: [string, string][] = [
    ["done", progressText(batch)],
    ["jobs", countsText(progress.counts)],
    ["enqueued", `${localTime(batch.createdAt)} by ${batch.actor}`],
    ["started", batch.startedAt === null ? "" : localTime(batch.startedAt)],
    ["finished", batch.finishedAt === null ? "" : localTime(batch.finishedAt)],
    ["then", then],
  ];
  const told = facts.filter(([, value]) => value !== "");
  return [
    `${paint("bold", clip(titleOf(batch), columns, symbols.ellipsis))}  ${paint(batchColours[batch.state], batch.state)}`,
    `  ${batch.id}`,
    ...told.map(([name, value]) => `  ${paint("dim", name.padEnd(9))}  ${printable(value)}`),
    ...events.map((event) => `  ${paint("dim", dayAndClock(new Date(event.recordedAt)))}  ${eventText(event)}`),
  ];
}

function eventText(event: BatchEvent): string {
  switch (event.__typename) {
    case "BatchEnqueued":
      return `${counted(event.total, "job")} enqueued`;
    case "BatchCancelRequested":
      return `${counted(event.jobs, "job")} to be cancelled${by(event)}`;
    case "BatchRequeued":
      return `${counted(event.jobs, "job")} queued again${by(event)}`;
    case "BatchReopened":
      return `opened again${by(event)}`;
    case "BatchCompleted":
      return `complete: ${countsText(event.counts)}`;
    default:
      return event.type;
  }
}

function by({ actor, reason }: { actor: string; reason: string | null }): string {
  return printable(` by ${actor}${reason === null ? "" : `: ${reason}`}`);
}

/** What to do about one that was no success; none otherwise. */
export function adviceLines({ id, state, progress }: Batch, { symbols }: Pick<Terminal, "symbols">): string[] {
  if (state !== "FAILED") return [];
  const ref = id.slice(-6);
  const failed = progress.counts.filter((each) => (["FAILED", "EXPIRED"] as JobState[]).includes(each.state));
  const states = failed.map((each) => each.state.toLowerCase()).join(" ");
  return [
    `${symbols.arrow} See them: flowerpower-queue jobs --batch ${ref} --state ${states}`,
    `${symbols.arrow} Again:    flowerpower-queue batch requeue ${ref}`,
  ];
}
