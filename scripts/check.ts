/** All that can be said without running the product: format, lint, types, generated files, migrations, Python. */
import { runSteps } from "./steps.ts";

const node = process.execPath;
const bin = (name: string, ...args: string[]) => ({ command: `node_modules/.bin/${name}`, args });

await runSteps([
  { name: "format and lint", ...bin("biome", "check", "--error-on-warnings", ".") },
  { name: "types", ...bin("tsc", "--noEmit") },
  { name: "schema.graphql", command: node, args: ["scripts/schema.ts", "--check"] },
  { name: "generated client", command: node, args: ["scripts/generated.ts", "--check"] },
  { name: "pages made from the code", command: node, args: ["scripts/docs.ts", "--check"] },
  { name: "migrations", command: node, args: ["scripts/migrations.ts"] },
  {
    name: "ruff format",
    command: node,
    args: ["scripts/python.ts", "ruff", "format", "--check", "python", "examples"],
  },
  { name: "ruff", command: node, args: ["scripts/python.ts", "ruff", "check", "python", "examples"] },
  { name: "Python types", ...bin("pyright", "-p", "python", "--pythonpath", ".flowerpower-queue/venv/bin/python") },
]);
