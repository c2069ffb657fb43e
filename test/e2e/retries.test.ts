import { expect, it } from "vitest";
import { openGround } from "../support/ground.ts";
import { projectOf } from "../support/runtimes.ts";

const code = `
import datetime
import pathlib


class Busy(Exception):
    def __init__(self, retry_after):
        super().__init__("come back later")
        self.retry_after = retry_after


class Gone(Busy):
    pass


def calls(counter: str) -> int:
    file = pathlib.Path(counter)
    count = len(file.read_text()) + 1 if file.exists() else 1
    file.write_text("x" * count)
    return count


def answer(calls: int, busy: int, seconds: float, gone: bool) -> int:
    if calls <= busy:
        if gone:
            raise Gone(seconds)
        raise Busy(datetime.timedelta(seconds=seconds) if calls % 2 == 0 else seconds)
    return calls
`;

it("tries again when the exception says, not when the policy does; by a list of delays; and never what is named so", async () => {
  await using ground = await openGround();
  const dir = await projectOf({ api: { code, finalVars: ["answer"] } });
  await ground.worker({ slots: 3, projects: [{ name: "faults", dir }] }).said("ready");
  const inputs = (name: string, given: object = {}) => ({
    counter: `${dir}/${name}`,
    busy: 2,
    seconds: 0.3,
    gone: false,
    ...given,
  });
  const hour = { maxRetries: 2, retryDelayMs: 3_600_000, jitterFactor: 1 };
  const asked = await ground.enqueue("api", inputs("asked"), { retry: hour });
  const gone = await ground.enqueue("api", inputs("gone", { gone: true }), {
    retry: { ...hour, nonRetryableExceptions: ["Gone"] },
  });
  const listed = await ground.enqueue("api", inputs("listed", { seconds: -1, busy: 3 }), {
    retry: { maxRetries: 3, delaysMs: [200, 700], jitterFactor: 0, maxDelayMs: 500 },
  });

  expect(await asked.ended()).toMatchObject({ state: "succeeded", attempt: 3, failures: 2 });
  expect(await gone.ended()).toMatchObject({ state: "failed", attempt: 1 });
  expect(await listed.ended()).toMatchObject({ state: "succeeded", attempt: 4, failures: 3 });
  const delays = async (jobId: string) =>
    (
      await ground.db.sql<{ ms: number }[]>`
        select extract(epoch from (data ->> 'runAt')::timestamptz - recorded_at)::float * 1000 as ms
        from events where job_id = ${jobId} and type = 'job.retry_planned' order by seq`
    ).map(({ ms }) => ms);
  // Told by the worker a moment before the database has written it.
  for (const [jobId, expected] of [
    [asked.id, [300, 300]],
    [listed.id, [200, 500, 500]],
  ] as const) {
    const found = await delays(jobId);
    expect(found).toHaveLength(expected.length);
    found.forEach((ms, n) => {
      expect(ms).toBeLessThanOrEqual((expected[n] ?? 0) + 50);
      expect(ms).toBeGreaterThan((expected[n] ?? 0) - 190);
    });
  }
}, 60_000);
