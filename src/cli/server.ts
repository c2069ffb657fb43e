import type { Command } from "commander";
import { jsonLines } from "../server/log.ts";
import { defaultPort } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions } from "./cli.ts";
import { untilStopped } from "./until-stopped.ts";
import { addKeepFlag, addServerFlags, addStoreFlags, hostOf, keepOf, type UpFlags } from "./up-flags.ts";
import { version } from "./version.ts";

type Options = GlobalOptions & UpFlags;

export function addServer(program: Command, cli: Cli): void {
  addKeepFlag(addStoreFlags(addServerFlags(program.command("server"))))
    .description("serve the API alone, on DATABASE_URL; any number of them may run")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { requireDatabaseUrl } = await import("./database.ts");
      const { openParts } = await import("./parts.ts");
      const { openServerArtifacts } = await import("./artifact-store.ts");
      const { startServer } = await import("../server/start.ts");
      const log = jsonLines((line) => cli.terminal.err(line.trimEnd()));
      await using opened = new AsyncDisposableStack();
      const { db, jobs, tail, keepMoving } = opened.use(
        await openParts(requireDatabaseUrl(cli), (message, data) => log("warning", message, data)),
      );
      const host = hostOf(options, cli);
      const port = options.port ?? cli.config.port ?? defaultPort;
      const { dataFolderFor } = await import("./served-projects.ts");
      const store = await openServerArtifacts(options.artifacts, await dataFolderFor(undefined, cli), cli);
      if (store !== null) opened.use(store);
      void store
        ?.id()
        .catch((error: Error) => log("warning", "artifacts are not handed out", { error: error.message }));
      const server = await startServer({
        db,
        jobs,
        tail,
        version,
        host,
        port,
        allowOrigins: options.allowOrigin,
        artifacts: store,
        retention: keepOf(options, cli),
        log,
      });
      keepMoving(keepOf(options, cli));
      cli.terminal.out(`${server.url}/graphql`);
      const stop = async () => {
        await server.close();
        await opened.disposeAsync();
      };
      await untilStopped(cli, { running: () => 0, stop }, 0);
    });
}
