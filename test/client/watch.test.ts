import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Client,
  createClient,
  type FeedItem,
  type JobEvent,
  NotFoundError,
  UnavailableError,
} from "../../src/client/client.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { finishJob, insertEvents } from "../support/factories.ts";
import { openProxy } from "../support/proxy.ts";
import { queuedJob } from "../support/running.ts";
import { type TestServer, type TestServerOptions, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let client: Client;

beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db);
  client = createClient({ url: `${server.url}/graphql`, retryForMs: 15_000 });
});
afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function append(id: string, count: number, on: TestServer | null = server): Promise<void> {
  const line = { level: "INFO", stream: "stdout", logger: null, text: "a line" };
  await db.sql.begin((sql) =>
    insertEvents(
      sql,
      id,
      Array.from({ length: count }, () => ({ type: "log.line", node: "dough", data: line })),
    ),
  );
  on?.jobs.wakeups.ring("events", [id]);
}

async function finish(id: string, on: TestServer | null = server): Promise<void> {
  await db.sql.begin((sql) => finishJob(sql, id));
  on?.jobs.wakeups.ring("events", [id]);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Takes all events; `seen` grows while they come. */
function taking(events: AsyncIterable<JobEvent>): { seen: JobEvent[]; done: Promise<void> } {
  const seen: JobEvent[] = [];
  const take = async () => {
    for await (const event of events) seen.push(event);
  };
  return { seen, done: take() };
}

describe("watch", () => {
  it("yields what has happened, then what happens, and ends with the job", async () => {
    const id = await queuedJob(db);
    await append(id, 2);
    const watch = client.watch(idText("job", id));
    const { seen, done } = taking(watch);
    await eventually(() => expect(seen).toHaveLength(3));
    await append(id, 1);
    await eventually(() => expect(seen).toHaveLength(4));
    await finish(id);
    await done;
    expect(seen.map(({ seq }) => seq)).toEqual(upTo(5));
    expect(seen[1]).toMatchObject({ __typename: "LogLine", node: "dough", text: "a line" });
    expect(seen.at(-1)?.__typename).toBe("JobSucceeded");
    expect(await watch.job).toMatchObject({ id: idText("job", id), state: "SUCCEEDED" });
  });

  it("begins after a cursor", async () => {
    const id = await queuedJob(db);
    await append(id, 3);
    await finish(id);
    const whole = taking(client.watch(idText("job", id)));
    await whole.done;
    const { seen, done } = taking(client.watch(idText("job", id), { after: whole.seen[2]?.cursor }));
    await done;
    expect(seen.map(({ seq }) => seq)).toEqual([4, 5]);
  });

  it("resolves with the job for who does not iterate", async () => {
    const id = await queuedJob(db);
    const { job } = client.watch(idText("job", id));
    await finish(id);
    expect((await job).state).toBe("SUCCEEDED");
  });

  it("goes on after a restart of the server, without gap or repeat", async () => {
    const id = await queuedJob(db);
    const options: TestServerOptions = { tailOptions: { pollMs: 50 } };
    const first = await testServer(db, options);
    const port = Number(new URL(first.url).port);
    await using own = createClient({ url: `${first.url}/graphql`, retryForMs: 15_000 });
    const states: string[] = [];
    const watch = own.watch(idText("job", id), { onConnection: (state) => states.push(state) });
    const { seen, done } = taking(watch);
    await append(id, 3, first);
    await eventually(() => expect(seen).toHaveLength(4));
    await first[Symbol.asyncDispose]();
    await append(id, 3, null);
    const second = await testServer(db, { ...options, port });
    await eventually(() => expect(seen).toHaveLength(7));
    await finish(id, second);
    await done;
    expect(seen.map(({ seq }) => seq)).toEqual(upTo(8));
    expect(states).toEqual(["lost", "resumed"]);
    expect((await watch.job).state).toBe("SUCCEEDED");
    await second[Symbol.asyncDispose]();
  });

  it("survives cut connections at any moment", async () => {
    const id = await queuedJob(db);
    await using proxy = await openProxy(server.url);
    await using own = createClient({ url: `${proxy.url}graphql`, retryForMs: 15_000 });
    const { seen, done } = taking(own.watch(idText("job", id)));
    const cuts = 8;
    for (let cut = 0; cut < cuts; cut += 1) {
      await append(id, 20);
      // Each time at another point of the stream.
      await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(1 + cut * 20));
      proxy.cut();
      proxy.restore();
    }
    await finish(id);
    await done;
    expect(seen.map(({ seq }) => seq)).toEqual(upTo(cuts * 20 + 2));
  });

  it("keeps memory bounded for a slow reader, and still misses nothing", async () => {
    const id = await queuedJob(db);
    const count = 5000;
    await append(id, count);
    await finish(id);
    const seqs: number[] = [];
    for await (const { seq } of client.watch(idText("job", id))) {
      seqs.push(seq);
      if (seqs.length === 1) await eventually(() => expect(server.open().streams).toBe(0)); // let go of: too many wait
    }
    expect(seqs).toEqual(upTo(count + 2));
  });

  it("closes the subscription when it is left, also while it waits", async () => {
    const id = await queuedJob(db);
    for await (const _first of client.watch(idText("job", id))) break;
    await eventually(() => expect(server.open().streams).toBe(0));

    const watch = client.watch(idText("job", id));
    await watch.next();
    const waiting = watch.next();
    await eventually(() => expect(server.open().streams).toBe(1));
    await watch.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await eventually(() => expect(server.open().streams).toBe(0));
  });

  it("throws the reason of its signal", async () => {
    const id = await queuedJob(db);
    const left = new AbortController();
    const { seen, done } = taking(client.watch(idText("job", id), { signal: left.signal }));
    await eventually(() => expect(seen).toHaveLength(1));
    left.abort(new Error("enough"));
    await expect(done).rejects.toThrow("enough");
  });

  it("says that there is no such job", async () => {
    const watch = client.watch(idText("job", db.ids.next()));
    await expect(watch.next()).rejects.toBeInstanceOf(NotFoundError);
    await expect(watch.job).rejects.toBeInstanceOf(NotFoundError);
  });

  it("gives up when the server stays away", async () => {
    const id = await queuedJob(db);
    await using proxy = await openProxy(server.url);
    await using own = createClient({ url: `${proxy.url}graphql`, retryForMs: 0 });
    const watch = own.watch(idText("job", id), { giveUpAfterMs: 300 });
    await watch.next();
    proxy.cut();
    await expect(watch.next()).rejects.toBeInstanceOf(UnavailableError);
  });
});

describe("feed", () => {
  it("shows the events of all jobs and resumes after a cursor", async () => {
    const feed = client.feed({ project: "bikes" });
    let first: IteratorResult<FeedItem, void> | null = null;
    void feed.next().then((taken) => {
      first = taken;
    });
    // Nothing says that a feed stands but its first event.
    await eventually(async () => {
      server.jobs.wakeups.ring("events", [await queuedJob(db)]);
      expect(first).toMatchObject({ done: false, value: { event: { __typename: "JobEnqueued" } } });
    });
    const { value } = first as unknown as IteratorYieldResult<FeedItem>;
    await feed.return();
    const id = await queuedJob(db);
    await finish(id);
    const resumed = client.feed({ ids: [idText("job", id)] }, { after: value.cursor });
    expect((await resumed.next()).value?.event.type).toBe("job.enqueued");
    expect((await resumed.next()).value?.event.type).toBe("job.succeeded");
    await resumed.return();
  });
});
