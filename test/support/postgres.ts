import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/db/embedded/start.ts";
import { migrate } from "../../src/db/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** To the server, without a database: `${postgresUrl}/${name}`. */
    postgresUrl: string;
  }
}

/** Migrated once per test run; each test file clones it. */
export const templateDatabase = "template_jobs";

/** Global set-up: one Postgres for the whole run, without fsync, gone afterwards. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "fpq-test-postgres-"));
  const server = await startEmbeddedPostgres({ folder, fsync: false });
  const url = server.url.slice(0, server.url.lastIndexOf("/"));
  await prepare(url);
  project.provide("postgresUrl", url);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

async function prepare(url: string): Promise<void> {
  const admin = postgres(`${url}/postgres`, { max: 1 });
  await admin`create database ${admin(templateDatabase)}`;
  await admin.end();
  await migrate(`${url}/${templateDatabase}`);
}
