import { Agent, request } from "node:http";
import { join } from "node:path";
import { openTail } from "../src/events/tail.ts";
import { childEnvironment } from "../src/runtime/environment.ts";
import { prepareManagedPython } from "../src/runtime/python/managed.ts";
import { startServer } from "../src/server/start.ts";
import { startWorker, type Worker } from "../src/worker/worker.ts";
import type { Ground } from "./support.ts";

const root = join(import.meta.dirname, "..");
export const projectDir = join(import.meta.dirname, "project");

/** The Python environment of this repository. */
export async function benchPython(): Promise<string> {
  const { path } = await prepareManagedPython({
    folder: join(root, ".flowerpower-queue"),
    lockFile: join(root, "python/requirements.lock"),
    extraLockFiles: [join(root, "python/requirements-dev.lock")],
    env: process.env,
    onProgress: (message) => console.error(message),
  });
  return path;
}

/** Server and worker in this process, as `up` has them, with the bench project. */
export async function openServed(database: Awaited<ReturnType<Ground["database"]>>, slots: number) {
  const { db, jobs, url } = database;
  const path = await benchPython();
  const worker: Worker = await startWorker(jobs, {
    slots,
    version: "bench",
    projects: [
      {
        name: "bench",
        dir: projectDir,
        python: { path, source: "managed", version: "" },
        environment: () => childEnvironment({ own: process.env, databaseUrl: url, envFile: null }),
      },
    ],
    workDir: "/tmp/fpq-bench-work",
    log: () => {},
  });
  await worker.ready;
  const tail = openTail(db, jobs.wakeups);
  const server = await startServer({ db, jobs, tail, version: "bench" });
  return {
    worker,
    server,
    tail,
    async [Symbol.asyncDispose]() {
      await server.close();
      await worker.stop({ graceMs: 5000 });
      await tail.close();
    },
  };
}

/** A GraphQL operation over HTTP on kept connections. */
export function poster(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return async (query: string, variables: object): Promise<Record<string, never>> => {
    const body = JSON.stringify({ query, variables });
    return await new Promise((resolve, reject) => {
      const sent = request(`${url}/graphql`, {
        agent,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      });
      sent.on("error", reject).on("response", (response) => {
        const chunks: Buffer[] = [];
        response
          .on("data", (chunk: Buffer) => chunks.push(chunk))
          .on("end", () => {
            const answer = JSON.parse(Buffer.concat(chunks).toString());
            if (answer.errors) reject(new Error(JSON.stringify(answer.errors)));
            else resolve(answer.data);
          });
      });
      sent.end(body);
    });
  };
}

export const enqueueDocument = `mutation ($input: EnqueueJobInput!) {
  enqueueJob(input: $input) { __typename ... on EnqueueJobSuccess { job { id } } ... on Error { message } }
}`;
