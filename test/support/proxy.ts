import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** A way to a database on which things go wrong. */
export interface Proxy extends AsyncDisposable {
  /** The database's URL through the proxy. */
  url: string;
  /** Existing connections stay open and carry nothing any more, as when a cable is cut. */
  freeze(): void;
  /** What the database answers is kept on the way, until `restore()`. */
  holdAnswers(): void;
  /** Existing connections are closed and new ones refused, until `restore()`. */
  cut(): void;
  restore(): void;
}

export async function openProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const database = connect(Number(port), hostname);
    const pair: [Socket, Socket] = [client, database];
    pairs.add(pair);
    client.pipe(database);
    database.pipe(client);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      database.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);

  const closeAll = () => {
    for (const [client] of pairs) client.destroy();
  };
  return {
    url: url.href,
    freeze() {
      for (const [client, database] of pairs) {
        client.unpipe().resume();
        database.unpipe().resume();
      }
    },
    holdAnswers() {
      for (const [client, database] of pairs) database.unpipe(client);
    },
    cut() {
      isCut = true;
      closeAll();
    },
    restore() {
      isCut = false;
      for (const [client, database] of pairs) database.pipe(client);
    },
    async [Symbol.asyncDispose]() {
      closeAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
