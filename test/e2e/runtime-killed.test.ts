import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGround } from "../support/ground.ts";

it("runs a job again when its Python process was killed, and leaves others alone", async () => {
  await using ground = await openGround();
  const worker = ground.worker({ slots: 2 });
  await worker.said("ready");
  const file = join(ground.folder, "marks");
  const other = await ground.enqueue("sleeps", { seconds: 1 });
  await other.event("node.started", { node: "morning" });
  const job = await ground.enqueue("sideeffect", { file, seconds: 1 }, { onWorkerLost: "retry" });
  await job.event("node.started", { node: "waited" });
  const runtime = Number((await readFile(file, "utf8")).trim().split(" ")[2]);
  expect(worker.family().map(({ pid }) => pid)).toContain(runtime);
  const killedAt = Date.now();
  process.kill(runtime, "SIGKILL");

  const again = await job.event("job.started", { attempt: 2 });
  console.log(`kill -9 of a runtime: its job ran again after ${again.recordedAt.getTime() - killedAt} ms`);
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2, failures: 0, losses: 1 });
  const [lost] = await job.attempts();
  expect(lost).toMatchObject({ outcome: "rescue", errorKind: "WORKER_LOST", error: { node: "waited" } });
  expect(lost?.error?.message).toContain("SIGKILL");
  expect(await other.ended()).toMatchObject({ state: "succeeded", attempt: 1, losses: 0 });
}, 60_000);

it("ends a pipeline that kills its process after three losses, and says by which signal, while others run", async () => {
  await using ground = await openGround();
  const worker = ground.worker({ slots: 2 });
  await worker.said("ready");
  const poison = await ground.enqueue("kills", { signal_name: "SIGSEGV" });
  const quick: Awaited<ReturnType<typeof ground.enqueue>>[] = [];
  for (let i = 0; i < 5; i += 1) quick.push(await ground.enqueue("sleeps", { seconds: 0.1 }));

  expect(await poison.ended()).toMatchObject({ state: "failed", attempt: 3, losses: 3, errorKind: "WORKER_LOST" });
  const attempts = await poison.attempts();
  expect(attempts.map(({ outcome }) => outcome)).toEqual(["rescue", "rescue", "fail"]);
  for (const { error } of attempts) {
    expect(error?.message).toContain("SIGSEGV");
    expect(error?.node).toBe("deadly");
  }
  for (const job of quick) expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1, losses: 0 });
  expect(worker.lines.filter(({ message }) => message === "stopped")).toEqual([]);
}, 60_000);
