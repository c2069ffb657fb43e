/** All tests: TypeScript on real Postgres, real Python and real sockets, then the Python package's and the examples' own. */
import { runSteps, type Step } from "./steps.ts";

const node = process.execPath;
const only = process.argv.slice(2);
/** They kill and time real processes: one file at a time, with the machine to itself. */
const alone = ["test/e2e", "test/simulation", "test/cli/up.test.ts", "test/package.test.ts"];

/** What depends on FlowerPower's and Hamilton's insides. */
const withOldest = [
  ...["describe", "run", "golden", "warm", "plan_cases", "life", "reuse"],
  ...["async", "executors", "adapters", "modifiers", "node_details"],
];
const inCi = process.env.CI === "true" || process.env.E2E_FULL === "1";

await runSteps(
  only.length > 0
    ? [vitest("vitest", ...only)]
    : [
        // First, because the tests below need it too, and it says what it downloads.
        python("python environment", "python", "--version"),
        vitest("vitest", ...alone.map((path) => `--exclude=${path.endsWith(".ts") ? path : `${path}/**`}`)),
        vitest("vitest, whole processes", ...alone, "--no-file-parallelism"),
        python("pytest", "pytest", "-q", "python/tests", "examples/tests"),
        {
          ...python(
            "pytest, oldest FlowerPower",
            ...["--oldest", "pytest", "-q", ...withOldest.map((name) => `python/tests/test_${name}.py`)],
          ),
          ...(inCi ? {} : { skipped: "it downloads another environment: set E2E_FULL=1 (or CI=true) to run it" }),
        },
      ],
);

function vitest(name: string, ...args: string[]): Step {
  return { name, command: node, args: ["node_modules/vitest/vitest.mjs", "run", ...args] };
}

function python(name: string, ...args: string[]): Step {
  return { name, command: node, args: ["scripts/python.ts", ...args] };
}
