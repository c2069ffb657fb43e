import { join } from "node:path";
import type { Command } from "commander";
import { createDataFolder } from "../db/data-folder.ts";
import { jsonLines } from "../server/log.ts";
import { type Cli, type GlobalOptions, globalOptions } from "./cli.ts";
import { hashKeyIn } from "./hash-key.ts";
import { stopAskedLine } from "./stop-asked.ts";
import { StopWithin, untilStopped } from "./until-stopped.ts";
import { addKeepFlag, addStoreFlags, addWorkerFlags, keepOf, labelsOf, slotsOf, type UpFlags } from "./up-flags.ts";
import { version } from "./version.ts";

type Options = GlobalOptions & UpFlags;

export function addWorker(program: Command, cli: Cli): void {
  addKeepFlag(addStoreFlags(addWorkerFlags(program.command("worker"))))
    .description("run jobs of projects, from DATABASE_URL; any number of them may run")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { terminal, config } = cli;
      const { requireDatabaseUrl } = await import("./database.ts");
      const { openParts } = await import("./parts.ts");
      const { openArtifacts } = await import("./artifact-store.ts");
      const { dataFolderFor, openProjects, withPythons } = await import("./served-projects.ts");
      const { startWorker } = await import("../worker/worker.ts");
      const url = requireDatabaseUrl(cli);
      const log = jsonLines((line) => terminal.err(line.trimEnd()));
      const projects = await openProjects(options, cli);
      // Workers may share the folder: only their own files are in it.
      const folder = createDataFolder(await dataFolderFor(options.data, cli));
      const served = await withPythons(projects, { folder, config, onProgress: (message) => log("info", message) });
      await using opened = new AsyncDisposableStack();
      const parts = opened.use(await openParts(url, (message, data) => log("warning", message, data)));
      const [first] = served;
      const python = first === undefined ? null : { path: first.python.path, environment: first.environment };
      const store = openArtifacts(options.artifacts, folder, python, cli);
      if (store !== null) opened.use(store);
      parts.keepMoving(keepOf(options, cli));
      const worker = await startWorker(parts.jobs, {
        slots: slotsOf(options, cli),
        version,
        projects: served,
        labels: labelsOf(options, cli),
        workDir: join(folder, "runs"),
        store,
        hashKey: hashKeyIn(folder, config.hashKey),
        log: (message, data) => log(data.error == null ? "info" : "warning", message, data),
      });
      await worker.ready;
      terminal.out(`${worker.id} serves ${served.map(({ name }) => name).join(", ")} with ${worker.slots} slots`);
      const running = {
        running: () => worker.running(),
        async stop({ graceMs, now }: { graceMs: number; now: Promise<void> }) {
          void now.then(() => worker.stop({ graceMs: 0 }));
          await worker.stop({ graceMs });
          await opened.disposeAsync();
        },
      };
      await untilStopped(cli, running, options.grace, async (stopped) => {
        const asked = await Promise.race([worker.stopAsked, aborted(stopped)]);
        if (asked === null) return;
        terminal.err(stopAskedLine(asked));
        return new StopWithin(asked.graceMs);
      });
    });
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(null), { once: true }));
}
