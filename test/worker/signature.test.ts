import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { type Described, signatureOf } from "../../src/worker/signature.ts";

const folders: string[] = [];
let dir: string;
let described: Described;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "fpq-signature-"));
  folders.push(dir);
  await put("conf/project.yml");
  await put("pipelines/report.py");
  await put("src/steps.py");
  await put("venv/lib/python3.11/site-packages/pandas/__init__.py");
  const modules = [{ name: "steps", file: "src/steps.py", sha256: "" }];
  described = { dir, python: join(dir, "venv/bin/python"), env: {}, pipelines: [{ modules }] };
});
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function put(file: string, text = "x"): Promise<void> {
  await mkdir(join(dir, file, ".."), { recursive: true });
  await writeFile(join(dir, file), text);
}

it.each([
  ["a pipeline's module", () => put("pipelines/report.py", "changed")],
  ["a new module", () => put("pipelines/deep/new.py")],
  ["a YAML", () => put("conf/pipelines/report.yml")],
  ["a module elsewhere that a pipeline is made of", () => put("src/steps.py", "changed")],
  ["an installed package", () => mkdir(join(dir, "venv/lib/python3.11/site-packages/sklearn"))],
])("changes with %s", async (_what, change) => {
  const before = await signatureOf(described);
  expect(await signatureOf(described)).toBe(before);
  await change();
  expect(await signatureOf(described)).not.toBe(before);
});

it("changes with what a link leads to, and with the folders that the environment names", async () => {
  await put("shared/linked.py");
  await symlink(join(dir, "shared/linked.py"), join(dir, "pipelines/linked.py"));
  await put("settings/project.yml");
  const elsewhere = { ...described, env: { FP_CONFIG_DIR: "settings" } };
  const before = [await signatureOf(described), await signatureOf(elsewhere)];
  await put("shared/linked.py", "changed");
  await put("settings/project.yml", "changed");
  expect(await signatureOf(described)).not.toBe(before[0]);
  expect(await signatureOf(elsewhere)).not.toBe(before[1]);
});

it("does not change with what is no code and no configuration", async () => {
  const before = await signatureOf(described);
  await put("pipelines/notes.txt");
  await put("data/day.csv");
  expect(await signatureOf(described)).toBe(before);
});
