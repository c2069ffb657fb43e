import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { StorePython } from "../artifacts/fsspec-store.ts";
import { openStore, storeUrl } from "../artifacts/open.ts";
import type { ArtifactStore } from "../artifacts/store.ts";
import { childEnvironment } from "../runtime/environment.ts";
import { findPython } from "../runtime/python/find.ts";
import type { Cli } from "./cli.ts";
import { UsageError } from "./failure.ts";

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
  const { env, databaseUrl, artifactsPython } = cli.config;
  const found = await findPython({ projectDir: cli.cwd, configured: artifactsPython, env });
  if (found === null) {
    throw new UsageError(
      `To read ${url} a server needs a Python with fsspec (and s3fs for s3://): name it by FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON.`,
    );
  }
  const environment = () => childEnvironment({ own: env, databaseUrl, envFile: null });
  return openStore(url, { path: found.path, environment });
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
