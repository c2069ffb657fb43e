/** Enqueue over HTTP through the GraphQL mutation, validated and committed, against graphile-worker's bare addJob. */
import { makeWorkerUtils } from "graphile-worker";
import { ticketSchema } from "../src/db/migrate.ts";
import { enqueueDocument, openServed, poster } from "./served.ts";
import { type Ground, type Line, rateOf } from "./support.ts";

const count = 1500;

export async function enqueue(ground: Ground): Promise<Line[]> {
  const lines: Line[] = [];
  for (const inFlight of [1, 16, 64]) {
    const raw = await bare(ground, inFlight);
    const ours = await overHttp(ground, inFlight);
    lines.push(
      { what: `addJob of graphile-worker, ${inFlight} in flight`, value: raw, unit: "/s" },
      { what: `enqueueJob over HTTP, ${inFlight} in flight`, value: ours, unit: "/s" },
      { what: "  ratio", value: ours / raw, unit: "×" },
    );
  }
  return lines;
}

async function bare(ground: Ground, inFlight: number): Promise<number> {
  await using database = await ground.database();
  const utils = await makeWorkerUtils({ connectionString: database.url, schema: ticketSchema, maxPoolSize: 16 });
  const rate = await rateOf(count, inFlight, () => utils.addJob("noop", { n: 1 }));
  await utils.release();
  return rate;
}

async function overHttp(ground: Ground, inFlight: number): Promise<number> {
  await using database = await ground.database();
  {
    // Publishes the pipeline; nobody takes the jobs while they are counted.
    await using _served = await openServed(database, 1);
  }
  const { openTail } = await import("../src/events/tail.ts");
  const { startServer } = await import("../src/server/start.ts");
  await using tail = openTail(database.db, database.jobs.wakeups);
  await using server = await startServer({ db: database.db, jobs: database.jobs, tail, version: "bench" });
  const post = poster(server.url);
  const input = { project: "bench", pipeline: "six", inputs: { n: 4 } };
  const one = async () => {
    const { enqueueJob } = (await post(enqueueDocument, { input })) as unknown as {
      enqueueJob: { __typename: string; message?: string };
    };
    if (enqueueJob.__typename !== "EnqueueJobSuccess") throw new Error(enqueueJob.message);
  };
  await rateOf(200, inFlight, one);
  return await rateOf(count, inFlight, one);
}
