import type { Command } from "commander";
import { createClient } from "../client/client.ts";
import { type Cli, type GlobalOptions, globalOptions } from "./cli.ts";
import { listProjects, projectTable } from "./project.ts";
import { startLines } from "./start-lines.ts";
import { untilStopped } from "./until-stopped.ts";
import { addServerFlags, addWorkerFlags, hostOf, slotsOf, type UpFlags } from "./up-flags.ts";
import { version } from "./version.ts";

type Options = GlobalOptions & UpFlags & { hold?: boolean };

export function addUp(program: Command, cli: Cli): void {
  const command = program.command("up").description("run everything in one process: Postgres, the API, a worker");
  addServerFlags(addWorkerFlags(command))
    .option("--hold", "take no jobs, to look at what is there first")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      // Here, so that the commands which only speak to an API start in a fraction of the time.
      const { startAllInOne } = await import("./all-in-one.ts");
      const { dataFolderFor, openProjects } = await import("./served-projects.ts");
      const projects = await openProjects(options.project, cli);
      const { terminal } = cli;
      terminal.out(terminal.paint("bold", `FlowerPower Job Queue ${version}`));
      const running = await startAllInOne(
        cli,
        {
          projects,
          folder: await dataFolderFor(options.data, cli),
          host: hostOf(options, cli),
          port: options.port ?? cli.config.port,
          slots: slotsOf(options, cli),
          hold: options.hold ?? false,
          allowOrigins: options.allowOrigin,
        },
        startLines(terminal),
      );
      await tellProjects(running.url, cli);
      terminal.out(`  GraphiQL ${running.url}   Ctrl-C stops it, jobs are kept`);
      await untilStopped(cli, running, options.grace);
    });
}

/** What there is to run, what is broken, and how to begin. */
async function tellProjects(url: string, { terminal }: Cli): Promise<void> {
  await using client = createClient({ url });
  const projects = await listProjects(client);
  for (const line of ["", ...projectTable(projects), ""]) terminal.out(`  ${line}`.trimEnd());
  const runnable = projects.flatMap(({ name, pipelines }) =>
    pipelines.filter(({ status }) => status === "OK").map((pipeline) => `${name}/${pipeline.name}`),
  );
  const [first] = runnable;
  if (first !== undefined) terminal.out(`  Run one: flowerpower-queue enqueue ${first} --follow`);
}
