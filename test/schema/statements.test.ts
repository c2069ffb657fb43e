import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { relations } from "../../src/db/relations.ts";
import { testDatabase } from "../support/database.ts";
import { insertPastRun } from "../support/past-runs.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { insertRun, publishBakery } from "./bakery.ts";

let db: Database;
let server: TestServer;
/** Statements that the API has sent. */
let statements: string[] = [];

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  for (let n = 0; n < 5; n += 1) await insertRun(db);
  server = await testServer(counted(db));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

/** The same database; what is read through it is noted. */
function counted(database: Database): Database {
  const client = (database.reads as unknown as { $client: postgres.Sql }).$client;
  const reads = drizzle({ client, relations, logger: { logQuery: (query) => statements.push(query) } });
  const sql = new Proxy(database.sql, {
    apply(target, self, args: [TemplateStringsArray]) {
      if (Array.isArray(args[0]) && "raw" in args[0] && args[0].join("").includes("select"))
        statements.push(args[0].join("?"));
      return Reflect.apply(target as never, self, args);
    },
  });
  return { ...database, reads: reads as never, sql };
}

describe("the number of statements does not grow with the number of jobs", () => {
  it.each([
    // Of nested pages first the keys are read, then what is selected of them.
    ["jobs → attempts → nodeRuns", 6, "attempts { nodes { worker { host } neverRan nodeRuns { nodes { node } } } }"],
    [
      "jobs → attempts, nodeRuns, artifacts → job",
      7,
      "attempts { nodes { job { state } } } nodeRuns { nodes { job { state } } } artifacts { nodes { job { state } } }",
    ],
    ["jobs → pipelineInfo → versions → pipeline", 3, "pipelineInfo { versions { nodes { pipeline { name } } } }"],
    ["jobs → pipelineInfo → project", 1, "pipelineInfo { qualifiedName project { name } }"],
    ["jobs → pipelineInfo → runLimits", 1, "pipelineInfo { runLimits { maxMemoryBytes maxMemorySource } }"],
    [
      "jobs → results, nodeRuns of the last attempt, error",
      3,
      "results { name value } nodeRuns { nodes { node } } error { message } lastAttempt { number }",
    ],
    ["jobs → nodeRuns → graphNode", 4, "nodeRuns { nodes { graphNode { doc upstream } } }"],
    ["jobs → request", 1, "inputs tags requestedBy plan { nodes } options { logLevel }"],
    ["jobs → events → job", 3, "events(first: 5) { nodes { type job { state } } }"],
    ["jobs → rerunOf, reruns, resolvedBy", 4, "rerunOf { id } reruns { nodes { id } } resolvedBy { id }"],
    ["jobs → failure, failureGroup", 4, "failure { node neverRan code { text } } failureGroup { id }"],
    ["jobs → waitingFor", 3, "state waitingFor"],
    ["jobs → pipelineInfo → project → workers", 3, "pipelineInfo { project { workers { host } } }"],
  ])("%s: %i", async (_name, most, selection) => {
    const counts: number[] = [];
    for (const first of [1, 4]) {
      statements = [];
      const { errors, data } = await server.post(`{ jobs(first: ${first}) { nodes { id ${selection} } } }`);
      expect(errors).toBeUndefined();
      expect(data.jobs.nodes).toHaveLength(first);
      counts.push(statements.length);
    }
    expect(counts[1]).toBe(counts[0]);
    expect(counts[1], statements.join("\n")).toBeLessThanOrEqual(most);
  });

  it("counts only when it is asked to", async () => {
    statements = [];
    await server.post("{ jobs { nodes { id } } }");
    expect(statements.filter((statement) => statement.includes("count("))).toEqual([]);
    const { data } = await server.post("{ jobs(first: 1) { totalCount { value isExact } } }");
    expect(data.jobs.totalCount).toEqual({ value: 5, isExact: true });
    expect(statements.filter((statement) => statement.includes("count("))).toHaveLength(1);
  });

  it.each([
    ["running", "progress { expectedMs leftMs }", 3],
    ["succeeded", "regression { factor } nodeRuns { nodes { regression { factor } } }", 5],
  ] as const)("%s jobs of many pipelines → %s: %i", async (state, selection, most) => {
    const nodes = [{ node: "flour", durationMs: 5000 }];
    for (let n = 0; n < 4; n += 1) {
      await insertPastRun(db, { project: state, pipeline: `p${n}`, state, nodes, runMs: 5000 });
    }
    const counts: number[] = [];
    for (const first of [1, 4]) {
      // A server of its own has nothing in memory.
      await using fresh = await testServer(counted(db));
      statements = [];
      const { errors, data } = await fresh.post(
        `{ jobs(first: ${first}, filter: { project: "${state}" }) { nodes { id ${selection} } } }`,
      );
      expect(errors).toBeUndefined();
      expect(data.jobs.nodes).toHaveLength(first);
      // Only running jobs need their pipelines: they are kept in memory, and not read anew.
      counts.push(statements.filter((statement) => !statement.includes("join projects")).length);
    }
    expect(counts[1]).toBe(counts[0]);
    expect(counts[1], statements.join("\n")).toBeLessThanOrEqual(most);
  });
});
