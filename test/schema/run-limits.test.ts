import { expect, it } from "vitest";
import { publishProject } from "../../src/pipelines/publish.ts";
import { noJobQueueSettings } from "../../src/runtime/protocol.ts";
import { pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { testServer } from "../support/server.ts";

it("tells what a run of a pipeline may use, and where that is written; of a broken one what held before", async () => {
  await using db = await testDatabase();
  await using server = await testServer(db);
  const shared = { ...noJobQueueSettings, maxMemoryBytes: 2e9, maxCpuMs: 60_000 };
  const publish = (status: "ok" | "broken", maxMemoryBytes: number | null) =>
    publishProject(db, null, {
      name: "bakery",
      project: project({ name: "bakery", jobQueue: shared }),
      environment: {},
      pipelines: [pipeline({ name: "bread" }), pipeline({ name: "cake", status, jobQueue: { maxMemoryBytes } })],
    });
  await publish("ok", 4e12);
  await publish("broken", null);

  const limits = "runLimits { maxMemoryBytes maxMemorySource maxCpuMs maxCpuSource }";
  const { data } = await server.post(`{ project(name: "bakery") { pipelines { name ${limits} } } }`);
  const ofProject = "conf/project.yml: job_queue.job_defaults";
  const ofCake = "conf/pipelines/cake.yml: job_queue.job_defaults";
  const cpu = { maxCpuMs: 60_000, maxCpuSource: ofProject };
  expect(data.project.pipelines).toEqual([
    { name: "bread", runLimits: { maxMemoryBytes: 2e9, maxMemorySource: ofProject, ...cpu } },
    { name: "cake", runLimits: { maxMemoryBytes: 4e12, maxMemorySource: ofCake, ...cpu } },
  ]);
});
