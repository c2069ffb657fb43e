import { expect, it } from "vitest";
import { idText } from "../../src/domain/ids.ts";
import { openGround } from "../support/ground.ts";

it("runs a job after two others with their results as its inputs, and ends one as invalid whose result is not there", async () => {
  await using ground = await openGround();
  await ground.worker({ slots: 2 }).said("ready");
  const parent = await ground.enqueue("sleeps", { seconds: 0.05 });
  const child = await ground.enqueue(
    "sleeps",
    {},
    {
      inputsFrom: [{ input: "seconds", jobId: parent.id, variable: "evening" }],
      dependsOn: [{ jobId: parent.id, when: "succeeded", otherwise: "cancel" }],
    },
  );
  expect((await parent.ended()).state).toBe("succeeded");
  expect((await child.ended()).state).toBe("succeeded");
  const [given] = Object.values(await parent.results()) as [number];
  expect(given).toBeCloseTo(0.15);
  const { evening } = (await child.results()) as { evening: number };
  expect(evening).toBeCloseTo(3 * given);
  expect(child.types().slice(0, 3)).toEqual(["job.enqueued", "job.queued", "job.started"]);

  const forgetful = await ground.enqueue("sleeps", { seconds: 0.01 }, { options: { results: "none" } });
  const without = await ground.enqueue(
    "sleeps",
    {},
    {
      inputsFrom: [{ input: "seconds", jobId: forgetful.id, variable: "evening" }],
    },
  );
  expect(await without.ended()).toMatchObject({ state: "failed", errorKind: "INVALID", attempt: 1 });
  const [attempt] = await without.attempts();
  expect(attempt?.error?.message).toContain(
    `The input seconds was to be the result evening of ${idText("job", forgetful.id)}: `,
  );
}, 90_000);
