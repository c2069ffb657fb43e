import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "../../src/cli/config.ts";
import { openProjects } from "../../src/cli/served-projects.ts";
import { packageRoot } from "../../src/cli/version.ts";

it("`npm start` serves the projects of the demo, from a folder that is no project itself", async () => {
  const { scripts } = JSON.parse(await readFile(join(packageRoot, "package.json"), "utf8"));
  const [, command = ""] = scripts.start.split("src/cli/main.ts ");
  expect(command).toMatch(/^up( --project \S+)+$/);
  const project = command.split(" --project ").slice(1);
  const opened = await openProjects({ project, projectsRoot: [] }, { config: readConfig({}), cwd: packageRoot });
  expect(opened.map(({ name }) => name)).toEqual(["flights", "hello"]);
});
