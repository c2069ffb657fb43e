import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";

export type Environment = Record<string, string>;

/**
 * The environment of a project's Python: the worker's without what is ours, and the project's env file.
 * Where both name a variable the worker's wins, as with every reader of such files: a deployment sets what a file in the
 * repository only suggests.
 */
export function childEnvironment(from: {
  /** The worker's environment. */
  own: Readonly<Record<string, string | undefined>>;
  /** The database that the queue itself lives in. */
  databaseUrl: string | null;
  /** Text of the project's env file. */
  envFile: string | null;
}): Environment {
  const env: Environment = {};
  const add = (variables: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined && !isOurs(name, value, from.databaseUrl)) env[name] = value;
    }
  };
  if (from.envFile !== null) add(parseEnv(from.envFile));
  add(from.own);
  return { ...env, ...settings };
}

/** The text of a project's env file, null when there is none. */
export function readEnvFile(path: string | null): string | null {
  if (path === null) return null;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** What makes Python behave the same wherever it is started. */
const settings: Environment = {
  MPLBACKEND: "Agg", // no window without a screen
  PYTHONIOENCODING: "utf-8:backslashreplace", // half a surrogate pair in a print() fails no run
  PYTHONUNBUFFERED: "1",
  PYTHONUTF8: "1",
};

/** ETL pipelines use the name DATABASE_URL too: only our own value is withheld. */
function isOurs(name: string, value: string, databaseUrl: string | null): boolean {
  return name.startsWith("FLOWERPOWER_QUEUE_") || (name === "DATABASE_URL" && value === databaseUrl);
}
