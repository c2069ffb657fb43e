import { dirname, join, resolve } from "node:path";
import { type Client, createClient } from "../client/client.ts";
import { readServerInfo } from "../db/data-folder.ts";
import type { Cli, GlobalOptions } from "./cli.ts";
import { UsageError } from "./failure.ts";

export const defaultPort = 4000;
export const dataFolderName = ".flowerpower-queue";

/** A cron line survives a restart of the server, and a person is soon told that there is none. */
const retryForMs = 3000;

/** The API that the flag, the environment, the running `up` or, failing all, the usual port names. */
export function openApi(cli: Cli, { url }: GlobalOptions): Client {
  return createClient({ url: endpoint(url ?? cli.config.url ?? runningServer(cli) ?? usual), retryForMs });
}

const usual = `http://127.0.0.1:${defaultPort}`;

/** The address in `server.json` of the nearest data folder, from here upwards. */
export function runningServer({ config, cwd }: Pick<Cli, "config" | "cwd">): string | null {
  if (config.data !== null) return readServerInfo(resolve(cwd, config.data))?.url ?? null;
  for (let dir = cwd; ; dir = dirname(dir)) {
    const info = readServerInfo(join(dir, dataFolderName));
    if (info !== null) return info.url;
    if (dir === dirname(dir)) return null;
  }
}

/** `http://host:4000` means its `/graphql`. */
export function endpoint(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--url ${text} is no URL. It looks like http://127.0.0.1:${defaultPort}/graphql`);
  }
  if (url.pathname === "/") url.pathname = "/graphql";
  return url.href;
}
