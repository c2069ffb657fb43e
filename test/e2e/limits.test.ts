import { expect, it } from "vitest";
import { openGround } from "../support/ground.ts";
import { projectOf } from "../support/runtimes.ts";

const code = `
import time

def held(megabytes: int) -> int:
    blocks = []
    for _ in range(megabytes // 10):
        blocks.append(b"x" * 10_000_000)
        time.sleep(0.005)
    time.sleep(0.3)
    return len(blocks)
`;
const wanted = "job_queue: { job_defaults: { max_retries: 3, retry_delay: 0 } }\n";

it("ends an attempt beyond its limit as failed, once, by the pipeline's limit before the project's, and no other", async () => {
  await using ground = await openGround();
  const pipeline = { code, finalVars: ["held"] };
  const dir = await projectOf(
    {
      small: { ...pipeline, yaml: wanted },
      large: { ...pipeline, yaml: "job_queue: { job_defaults: { max_memory: 1200MB } }\n" },
    },
    "job_queue: { job_defaults: { max_memory: 400MB } }\n",
  );
  await ground.worker({ slots: 2, projects: [{ name: "faults", dir }] }).said("ready");
  const large = await ground.enqueue("large", { megabytes: 500 });
  const small = await ground.enqueue("small", { megabytes: 5000 });

  // Not lost, though its process was killed: neither tried again for that nor by its retry, which does not name it.
  expect(await small.ended()).toMatchObject({ state: "failed", attempt: 1, losses: 0, errorKind: "PIPELINE" });
  const [attempt] = await small.attempts();
  expect(attempt?.error).toMatchObject({
    type: "MemoryLimitExceeded",
    node: "held",
    message: expect.stringMatching(/held .* in node held, more than its limit of 400 MB/),
    hint: expect.stringContaining("conf/project.yml: job_queue.job_defaults"),
  });
  expect(await large.ended()).toMatchObject({ state: "succeeded", attempt: 1, losses: 0 });

  // The next one does not meet what the killed one has left.
  const next = await ground.enqueue("small", { megabytes: 10 });
  expect(await next.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
}, 60_000);
