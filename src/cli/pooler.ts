import postgres from "postgres";

/**
 * Whether something hands out a server connection per transaction. Then a second client's open transaction takes the
 * connection that the first one has just used, and the first one goes on with another: a session would keep its own.
 */
export async function isTransactionPooler(url: string): Promise<boolean> {
  const settings = { max: 1, connect_timeout: 5, onnotice: () => {}, prepare: false, fetch_types: false };
  const first = postgres(url, settings);
  const second = postgres(url, settings);
  try {
    const before = await backend(first);
    const [during, after] = await second.begin(async (tx) => {
      const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      return [row?.pid, await backend(first)];
    });
    return during === before || after !== before;
  } finally {
    await Promise.all([first.end({ timeout: 1 }), second.end({ timeout: 1 })]);
  }
}

async function backend(sql: postgres.Sql): Promise<number | undefined> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid;
}
