import { createServer } from "node:net";

/** One above Postgres' own, so that it does not meet a Postgres that is already there. */
const preferredPort = 54329;

/** The preferred port when it is free, otherwise any. Somebody may take it before we do: then try again. */
export async function freePort(): Promise<number> {
  return (await portIfFree(preferredPort)) ?? (await portIfFree(0)) ?? preferredPort;
}

/** Returns the port, or null when somebody listens on it. */
export async function portIfFree(port: number): Promise<number | null> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once("error", (error) => ("code" in error && error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : null));
    });
  });
}
