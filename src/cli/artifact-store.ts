import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { StorePython } from "../artifacts/fsspec-store.ts";
import { openStore, storeUrl } from "../artifacts/open.ts";
import type { ArtifactStore } from "../artifacts/store.ts";
import { openUnreadableStore } from "../artifacts/unreadable-store.ts";
import { DomainError } from "../domain/errors.ts";
import { childEnvironment } from "../runtime/environment.ts";
import { type FoundPython, findPython } from "../runtime/python/find.ts";
import type { Cli } from "./cli.ts";

/** The store that the flag, the environment or, failing both, the data folder names; null: none. */
export function openArtifacts(
  flag: string | undefined,
  folder: string,
  python: StorePython | null,
  { config, cwd }: Pick<Cli, "config" | "cwd">,
): ArtifactStore | null {
  const named = artifactsUrl(flag, folder, { config, cwd });
  return named === null ? null : openStore(named, python);
}

/** The store of a server, which serves no project: the Python for a remote one is named, or the one around. */
export async function openServerArtifacts(
  flag: string | undefined,
  folder: string,
  cli: Pick<Cli, "config" | "cwd">,
): Promise<ArtifactStore | null> {
  const url = artifactsUrl(flag, folder, cli);
  if (url === null || url.startsWith("file://")) return openArtifacts(flag, folder, null, cli);
  const { env, databaseUrl } = cli.config;
  const found = await findServerPython(cli);
  if (typeof found === "string") return openUnreadableStore(url, found);
  const environment = () => childEnvironment({ own: env, databaseUrl, envFile: null });
  return openStore(url, { path: found.path, environment });
}

/** The Python, or why there is none. One that was named and cannot be used is refused; a server does without the one around. */
async function findServerPython({ cwd, config }: Pick<Cli, "config" | "cwd">): Promise<FoundPython | string> {
  const { env, artifactsPython } = config;
  const advice =
    "this server has no Python to read it by. Name one that has fsspec (and s3fs for s3://) by FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON, or ask a server that has one.";
  try {
    return (await findPython({ projectDir: cwd, configured: artifactsPython, env })) ?? advice;
  } catch (error) {
    if (artifactsPython !== null || !(error instanceof DomainError)) throw error;
    return `${advice} (${error.message})`;
  }
}

function artifactsUrl(
  flag: string | undefined,
  folder: string,
  { config, cwd }: Pick<Cli, "config" | "cwd">,
): string | null {
  const said = flag ?? config.artifacts ?? join(folder, "artifacts");
  if (said === "none") return null;
  return storeUrl(said, (path) => pathToFileURL(resolve(cwd, path)).href);
}
