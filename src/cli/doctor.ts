import type { Command } from "commander";
import type { Finding } from "./checks.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes } from "./failure.ts";
import { printable, type Terminal } from "./terminal.ts";

interface Options extends GlobalOptions {
  project: string[];
  data?: string;
}

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .description("check Node, Python, Postgres, disk, ports and projects, and say what to do")
    .option("--project <[name=]dir>", "a FlowerPower project; may be repeated (the one around here)", collect, [])
    .option("--data <folder>", "the data folder")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { checkAll } = await import("./checks.ts");
      const { dataFolderFor } = await import("./served-projects.ts");
      const folder = await dataFolderFor(options.data, cli);
      const findings = await checkAll(options, folder, cli);
      if (options.json) printJson(cli.terminal, findings);
      else for (const line of findings.map((finding) => findingLine(finding, cli.terminal))) cli.terminal.out(line);
      if (findings.some(({ state }) => state === "wrong")) throw new Exit(exitCodes.failed);
    });
}

function findingLine({ state, part, text }: Finding, { paint, symbols }: Terminal): string {
  const sign = {
    ok: paint("green", symbols.ok),
    note: paint("yellow", symbols.dot),
    wrong: paint("red", symbols.failed),
  }[state];
  return `${sign} ${part.padEnd(12)} ${printable(text)}`;
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}
