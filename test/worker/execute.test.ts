import { expect, it } from "vitest";
import { NotFoundError } from "../../src/domain/errors.ts";
import type { Catalogue } from "../../src/pipelines/catalogue.ts";
import { GitStates } from "../../src/pipelines/git.ts";
import type { Runtimes } from "../../src/runtime/pool.ts";
import { executeIn } from "../../src/worker/execute.ts";
import type { Started } from "../../src/worker/writes.ts";

const started = { project: "bikes", pipeline: "daily_report" } as Started;
const onEvents = async () => {};

/** A catalogue whose answers are given one by one; an error is thrown. */
function answering(answers: (Error | null)[]) {
  const asked: string[] = [];
  const catalogue = {
    async find(_project: string, pipeline: string) {
      asked.push(pipeline);
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      if (answer instanceof Error) throw answer;
      return null;
    },
  } as unknown as Catalogue;
  return {
    asked,
    execute: executeIn({
      runtimes: {} as Runtimes,
      catalogue,
      workDir: "/nowhere",
      projects: [],
      git: new GitStates(),
      hashKey: null,
    }),
  };
}

const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

it("asks for the pipeline again when Postgres goes away right behind the start", async () => {
  const { asked, execute } = answering([away, away, null]);
  const { signal } = new AbortController();
  // It is gone by then, which is another matter: what counts is that the answer was waited for.
  await expect(execute(started, { signal, onEvents })).rejects.toBeInstanceOf(NotFoundError);
  expect(asked).toHaveLength(3);
});

it("asks no longer when the run is no longer wanted", async () => {
  const { asked, execute } = answering([away]);
  const stop = new AbortController();
  const ended = execute(started, { signal: stop.signal, onEvents });
  stop.abort();
  await expect(ended).rejects.toBe(away);
  expect(asked.length).toBeLessThanOrEqual(2);
});

it("does not ask again what Postgres has understood and refused", async () => {
  const refused = Object.assign(new Error("no such column"), { code: "42703" });
  const { asked, execute } = answering([refused]);
  const { signal } = new AbortController();
  await expect(execute(started, { signal, onEvents })).rejects.toBe(refused);
  expect(asked).toHaveLength(1);
});
