/** Starts a run that holds Python's lock for long, says the process's id when it has begun, and waits: to be killed. */
import { startChild } from "../../src/runtime/child.ts";
import { run } from "../../src/runtime/run.ts";
import { runRequest, testEnvironment, watched } from "./runtimes.ts";

const [python, dir] = process.argv.slice(2) as [string, string];
const child = await startChild({ python, dir, env: testEnvironment });
const { when, options } = watched();
const running = run(child, runRequest("starts_and_adds"), options);
await when("node.started", "added");
console.log(child.pid);
await running;
