/** All tests: TypeScript on real Postgres, real Python and real sockets, then the Python package's and the examples' own. */
import { runSteps } from "./steps.ts";

const node = process.execPath;
const only = process.argv.slice(2);

await runSteps(
  only.length > 0
    ? [{ name: "vitest", command: node, args: ["node_modules/vitest/vitest.mjs", "run", ...only] }]
    : [
        // First, because the tests below need it too, and it says what it downloads.
        { name: "python environment", command: node, args: ["scripts/python.ts", "python", "--version"] },
        { name: "vitest", command: node, args: ["node_modules/vitest/vitest.mjs", "run"] },
        {
          name: "pytest",
          command: node,
          args: ["scripts/python.ts", "pytest", "-q", "python/tests", "examples/tests"],
        },
      ],
);
