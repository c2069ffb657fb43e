/**
 * An API server as a process of its own, for tests that kill it. Arguments: the database's URL, the port (0: any), and `operations`
 * where it is to do those.
 */
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import { connect } from "../../src/db/client.ts";
import { openTail } from "../../src/events/tail.ts";
import { openWakeups } from "../../src/events/wakeups.ts";
import { openJobs } from "../../src/jobs/context.ts";
import { startOperations } from "../../src/jobs/operations.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { startServer } from "../../src/server/start.ts";

const [databaseUrl = "", port = "0", does = ""] = process.argv.slice(2);
const db = await connect(databaseUrl);
const wakeups = await openWakeups(db);
const jobs = openJobs({ db, backend: graphileWorker, wakeups, catalogue: openCatalogue(db) });
if (does === "operations") startOperations(jobs, () => {});
const server = await startServer({
  db,
  jobs,
  tail: openTail(db, wakeups),
  version: "0.0.0-test",
  port: Number(port),
  log: (level, message, fields) => process.stdout.write(`${JSON.stringify({ level, message, ...fields })}\n`),
});
process.stdout.write(`${JSON.stringify({ message: "ready", url: server.url })}\n`);
