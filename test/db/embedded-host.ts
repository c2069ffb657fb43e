/**
 * A process that holds an embedded Postgres, for tests that do bad things to it. Arguments: the data folder.
 * Prints one JSON line when Postgres answers, or with the error; one more for each SIGINT, which it survives.
 */
import { startEmbeddedPostgres } from "../../src/db/embedded/start.ts";

const [folder = ""] = process.argv.slice(2);
const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

process.on("SIGINT", () => say({ signal: "SIGINT" }));
process.on("SIGTERM", async () => {
  await server?.stop();
  process.exit(0);
});
const server = await startEmbeddedPostgres({ folder, fsync: false }).catch((error) => {
  say({ error: error.message, code: error.code });
  process.exitCode = 1;
  return null;
});
if (server !== null) {
  say({ url: server.url, port: server.port, adopted: server.adopted, freshlyCreated: server.freshlyCreated });
  process.stdin.resume(); // stay
}
