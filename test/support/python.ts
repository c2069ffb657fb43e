import { join } from "node:path";
import { prepareManagedPython } from "../../src/runtime/python/managed.ts";

const root = join(import.meta.dirname, "../..");

/** An interpreter with FlowerPower: FLOWERPOWER_TEST_PYTHON, else the repository's own environment, made when it is missing. */
export async function testPython(): Promise<string> {
  const given = process.env.FLOWERPOWER_TEST_PYTHON;
  if (given !== undefined && given !== "") return given;
  const { path } = await prepareManagedPython({
    folder: join(root, ".flowerpower-queue"),
    lockFile: join(root, "python/requirements.lock"),
    env: process.env,
    onProgress: (message) => console.error(message),
  });
  return path;
}
