import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { eventually } from "../support/eventually.ts";
import { type Ground, openGround, requestOf } from "../support/ground.ts";
import { type TestServer, testServer } from "../support/server.ts";

/** A worker of a project whose only module has no YAML, and says so when it is imported. */
let ground: Ground;
let server: TestServer;

beforeAll(async () => {
  ground = await openGround();
  const dir = join(ground.folder, "bare");
  for (const folder of ["conf", "pipelines"]) await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, "conf/project.yml"), "name: bare\n");
  await writeFile(
    join(dir, "pipelines/twice.py"),
    `import os
open(os.path.join(os.path.dirname(__file__), "..", "imported"), "a").write("x")
def doubled(number: int) -> int:
    return 2 * number
`,
  );
  await ground.worker({ projects: [{ name: "bare", dir }] }).said("ready");
  server = await testServer(ground.db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const actor = { name: "test", requestId: null };

it("imports a module without a YAML when it is asked for, and runs it with final variables of the request", async () => {
  const select = "status leaves inputs { name required }";
  const read = async () =>
    (await server.post(`{ pipeline(name: "bare/twice") { status variant { ${select} } } }`)).data;
  const listed = await server.post('{ pipeline(name: "bare/twice") { status codeHash inputs { name } } }');
  expect(listed.data.pipeline).toMatchObject({ status: "UNCONFIGURED", inputs: [], codeHash: expect.any(String) });
  // Null until a worker has answered, which on a busy machine may take longer than the API waits.
  await eventually(async () => expect((await read()).pipeline.variant).not.toBeNull());
  expect(await read()).toEqual({
    pipeline: {
      status: "UNCONFIGURED",
      variant: { status: "OK", leaves: ["doubled"], inputs: [{ name: "number", required: true }] },
    },
  });

  const run = (inputs: object, finalVars: string[] | null) =>
    enqueueJob(ground.jobs, actor, requestOf("twice", inputs as never, { project: "bare", finalVars }));
  await expect(run({ number: 1 }, null)).rejects.toMatchObject({
    code: "INVALID_RUN",
    problems: [{ code: "NO_FINAL_VARS", message: expect.stringContaining("doubled") }],
  });
  await expect(run({ numbr: 1 }, ["doubled"])).rejects.toMatchObject({
    problems: expect.arrayContaining([expect.objectContaining({ code: "UNKNOWN_INPUT", suggestion: "number" })]),
  });
  const job = ground.follow((await run({ number: 21 }, ["doubled"])).jobId);
  expect(await job.ended()).toMatchObject({ state: "succeeded" });
  expect(await job.results()).toEqual({ doubled: 42 });
}, 60_000);
