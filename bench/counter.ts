import { type AddressInfo, connect, createServer } from "node:net";

/** A way to a database on which every wait for an answer is counted. */
export interface Counter extends AsyncDisposable {
  /** The database's URL through the counter. */
  url: string;
  /** Round trips so far: each time a connection is written to after it was answered. Statements sent together are one. */
  trips(): number;
}

export async function openCounter(target: string): Promise<Counter> {
  const { hostname, port } = new URL(target);
  let trips = 0;
  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    let answered = true;
    client.on("data", (chunk) => {
      if (answered) trips += 1;
      answered = false;
      database.write(chunk);
    });
    database.on("data", (chunk) => {
      answered = true;
      client.write(chunk);
    });
    const end = () => {
      client.destroy();
      database.destroy();
    };
    for (const socket of [client, database]) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    trips: () => trips,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.unref();
        // Whoever still holds a connection has been disposed of before.
        setTimeout(resolve, 100);
      });
    },
  };
}
