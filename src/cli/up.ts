import type { Command } from "commander";
import { createClient } from "../client/client.ts";
import { type Cli, type GlobalOptions, globalOptions } from "./cli.ts";
import { type ListedProject, listProjects, projectTable } from "./project.ts";
import { startLines } from "./start-lines.ts";
import { untilStopped } from "./until-stopped.ts";
import {
  addKeepFlag,
  addServerFlags,
  addStoreFlags,
  addWorkerFlags,
  hostOf,
  labelsOf,
  slotsOf,
  type UpFlags,
} from "./up-flags.ts";
import { version } from "./version.ts";

type Options = GlobalOptions & UpFlags & { hold?: boolean };

export function addUp(program: Command, cli: Cli): void {
  const command = program.command("up").description("run everything in one process: Postgres, the API, a worker");
  addKeepFlag(addStoreFlags(addServerFlags(addWorkerFlags(command))))
    .option("--hold", "take no jobs, to look at what is there first")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      // Here, so that the commands which only speak to an API start in a fraction of the time.
      const { startAllInOne } = await import("./all-in-one.ts");
      const { dataFolderFor, openProjects } = await import("./served-projects.ts");
      const projects = await openProjects(options, cli);
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
          graceMs: options.grace,
          labels: labelsOf(options, cli),
          hold: options.hold ?? false,
          allowOrigins: options.allowOrigin,
          ...(options.artifacts === undefined ? {} : { artifacts: options.artifacts }),
          ...(options.keep === undefined ? {} : { keep: options.keep }),
        },
        startLines(terminal),
      );
      await untilStopped(cli, running, options.grace, async () => {
        await tellProjects(running.url, cli);
        terminal.out(`  GraphiQL ${running.url}   Ctrl-C stops it, jobs are kept`);
      });
    });
}

/** What there is to run, what is broken, and how to begin. */
async function tellProjects(url: string, { terminal }: Cli): Promise<void> {
  await using client = createClient({ url });
  const projects = await listProjects(client);
  for (const line of ["", ...projectTable(projects, terminal), ""]) terminal.out(`  ${line}`.trimEnd());
  const first = firstToRun(projects);
  if (first !== null) terminal.out(`  Run one: flowerpower-queue enqueue ${first} --follow`);
}

/** A pipeline that can be run, rather one that needs no inputs, as it is enqueued. */
function firstToRun(projects: readonly ListedProject[]): string | null {
  const runnable = projects.flatMap(({ name, pipelines }) =>
    pipelines
      .filter(({ status }) => status === "OK")
      .map((pipeline) => ({
        name: `${name}/${pipeline.name}`,
        needs: pipeline.inputs.filter(({ required }) => required).map((input) => ` --input ${input.name}=…`),
      })),
  );
  const [first] = runnable.toSorted((a, b) => a.needs.length - b.needs.length);
  return first === undefined ? null : first.name + first.needs.join("");
}
