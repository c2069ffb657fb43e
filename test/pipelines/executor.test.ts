import { expect, it } from "vitest";
import { concurrencyOf, executorOf, unknownExecutor } from "../../src/pipelines/executor.ts";
import { pipeline } from "./descriptions.ts";

const earlier = { type: "threadpool", maxWorkers: 40 };
const asked = (type: string | null, maxWorkers: number | null) => ({ type, maxWorkers, numCpus: null });

it.each([
  // the YAML's, the request's, what comes of it, branches at once
  [{ type: "threadpool", max_workers: 3 }, null, ["threadpool", 3], 3],
  [{ type: "threadpool", max_workers: 3 }, asked(null, 8), ["threadpool", 8], 8],
  [{ type: "threadpool", max_workers: 3 }, asked("synchronous", null), ["synchronous", 3], 10],
  [{ type: "threadpool" }, null, ["threadpool", 40], 40],
  ["processpool", null, ["processpool", 40], 40],
  ["local", null, ["local", 40], 10],
  [{ type: "${EXECUTOR}", max_workers: "${WORKERS}" }, null, ["threadpool", 40], 40],
  [undefined, null, ["threadpool", 40], 40],
  [undefined, asked("ray", 4), ["ray", 4], null],
] as const)("written as %j, asked for %j", (executor, requested, [type, maxWorkers], concurrency) => {
  const description = pipeline({ run: executor === undefined ? {} : { executor } });
  const known = executorOf(requested, description, earlier);
  expect(known).toEqual({ type, maxWorkers });
  expect(concurrencyOf(known)).toBe(concurrency);
});

it("is not known of a pipeline that says nothing and has not run", () => {
  expect(concurrencyOf(executorOf(null, pipeline(), unknownExecutor))).toBeNull();
});
