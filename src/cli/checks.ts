import { existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { createClient } from "../client/client.ts";
import { ServerDocument, type ServerQuery } from "../client/generated/graphql.ts";
import { readServerInfo } from "../db/data-folder.ts";
import { DomainError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { findProject, openProject, type ProjectFolder, parseProjectFlag } from "../pipelines/folders.ts";
import { runLimitsOf } from "../pipelines/policy.ts";
import { describeProject } from "../runtime/describe.ts";
import { childEnvironment, readEnvFile } from "../runtime/environment.ts";
import { findPython } from "../runtime/python/find.ts";
import { defaultPort, endpoint, runningServer } from "./api.ts";
import type { Cli, GlobalOptions } from "./cli.ts";
import type { Config } from "./config.ts";
import { placeOf, readable } from "./database.ts";
import { limitsText } from "./limits-text.ts";
import { isTransactionPooler } from "./pooler.ts";
import { bytes, counted, duration } from "./units.ts";
import { version } from "./version.ts";

/** What was found out about one part. `wrong` has to be mended, `note` is worth knowing. */
export interface Finding {
  state: "ok" | "note" | "wrong";
  part: string;
  text: string;
}

const oldestPostgres = 14;
const leastFreeBytes = 1_000_000_000;
const mostSkewMs = 5000;

/** Everything that can be looked at, at once. */
export async function checkAll(
  options: GlobalOptions & { project: readonly string[] },
  folder: string,
  cli: Cli,
): Promise<Finding[]> {
  const findings = await Promise.all([
    checkNode(),
    checkDataFolder(folder),
    checkDatabase(cli.config),
    checkPort(cli.config, readServerInfo(folder)?.url ?? null),
    checkServer(cli, options),
    checkProjects(options.project, folder, cli),
  ]);
  return findings.flat();
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const text = `${process.version}, flowerpower-queue ${version}, ${process.platform} ${process.arch}`;
  return major >= 24
    ? { state: "ok", part: "Node", text }
    : { state: "wrong", part: "Node", text: `${text}: 24 is needed. Install again without --ignore-scripts.` };
}

function checkDataFolder(folder: string): Finding[] {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const info = readServerInfo(folder);
  const use = !existsSync(folder)
    ? "not made yet"
    : info === null
      ? "not in use"
      : `in use by process ${info.pid}, ${info.url}`;
  return [
    { state: "ok", part: "data folder", text: `${folder}, ${use}` },
    free < leastFreeBytes
      ? { state: "wrong", part: "disk", text: `${bytes(free)} free at ${there}: results are no longer kept below 1 GB` }
      : { state: "ok", part: "disk", text: `${bytes(free)} free` },
  ];
}

async function checkDatabase({ databaseUrl }: Config): Promise<Finding> {
  const part = "Postgres";
  if (databaseUrl === null) return { state: "ok", part, text: "embedded (DATABASE_URL is not set)" };
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const [row] = await sql<{ version: number; shown: string; ms: number }[]>`
      select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
        extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    const skewMs = (row?.ms ?? 0) - Date.now();
    const text = `${row?.shown} at ${placeOf(databaseUrl)}`;
    if ((row?.version ?? 0) < oldestPostgres * 10_000) {
      return { state: "wrong", part, text: `${text} is too old: ${oldestPostgres} is needed` };
    }
    if (await isTransactionPooler(databaseUrl)) {
      const way = "give DATABASE_URL a connection of its own (a session pool, or Postgres itself)";
      return {
        state: "wrong",
        part,
        text: `${text} is behind a transaction pooler, which loses locks and wake-ups: ${way}`,
      };
    }
    if (Math.abs(skewMs) > mostSkewMs) {
      return { state: "wrong", part, text: `${text}: its clock is ${duration(Math.abs(skewMs))} off this machine's` };
    }
    return { state: "ok", part, text };
  } catch (error) {
    const told = readable(error, databaseUrl);
    return { state: "wrong", part, text: told instanceof Error ? told.message : String(told) };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function checkPort({ host, port }: Config, ours: string | null): Promise<Finding> {
  const wanted = port ?? defaultPort;
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(wanted, host ?? "127.0.0.1", () => probe.close(() => resolve(true)));
  });
  if (free) return { state: "ok", part: "port", text: `${wanted} is free` };
  if (ours !== null && new URL(ours).port === String(wanted)) {
    return { state: "ok", part: "port", text: `${wanted} is in use by the API of this data folder` };
  }
  return { state: "note", part: "port", text: `${wanted} is in use${port === null ? ": up takes another one" : ""}` };
}

async function checkServer(cli: Cli, { url }: GlobalOptions): Promise<Finding | Finding[]> {
  const part = "API";
  const said = url ?? cli.config.url;
  const address = said ?? runningServer(cli);
  if (address === null) return { state: "note", part, text: "none runs here; start one with: flowerpower-queue up" };
  await using client = createClient({ url: endpoint(address), retryForMs: 0 });
  try {
    const {
      server,
      workers: { nodes: workers },
    } = await client.request(ServerDocument, {});
    const living = workers.filter(({ state }) => state === "RUNNING").length;
    const text = `${address}, version ${server.version}, Postgres ${server.postgresVersion}, ${counted(living, "worker")}`;
    if (Math.abs(server.clockSkewMs) > mostSkewMs) {
      return {
        state: "wrong",
        part,
        text: `${text}; its clock is ${duration(Math.abs(server.clockSkewMs))} off the database's`,
      };
    }
    return [{ state: "ok", part, text }, ...artifactProblems(server, workers)];
  } catch (error) {
    return {
      state: said === null ? "note" : "wrong",
      part,
      text: error instanceof Error ? error.message : String(error),
    };
  }
}

/** What is in the way of artifacts: of handing them out, and of keeping them. */
function artifactProblems(
  server: ServerQuery["server"],
  workers: readonly Pick<ServerQuery["workers"]["nodes"][number], "host" | "state" | "artifactProblem">[],
): Finding[] {
  const kept = workers.flatMap(({ host, state, artifactProblem }) =>
    artifactProblem === null || state !== "RUNNING" ? [] : [`${host} keeps no artifacts: ${artifactProblem}`],
  );
  const handedOut = server.artifactProblem === null ? [] : [`no downloads: ${server.artifactProblem}`];
  return [...handedOut, ...new Set(kept)].map((text) => ({ state: "wrong", part: "artifacts", text }));
}

async function checkProjects(flags: readonly string[], folder: string, cli: Cli): Promise<Finding[]> {
  const here = flags.length === 0 ? await findProject(cli.cwd) : null;
  const wanted =
    here === null ? flags.map((flag) => () => parseProjectFlag(flag)) : [() => ({ name: null, dir: here })];
  if (wanted.length === 0)
    return [{ state: "note", part: "project", text: "none around here (--project DIR checks one)" }];
  const findings = await Promise.all(
    wanted.map(async (flag) => {
      try {
        return await checkProject(await openProject(flag(), cli.config.env), folder, cli.config);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        return [{ state: "wrong", part: "project", text: error.message } as const];
      }
    }),
  );
  return findings.flat();
}

async function checkProject(project: ProjectFolder, folder: string, config: Config): Promise<Finding[]> {
  const { name, root, python: configured, envFile } = project;
  const part = name;
  const managed = join(folder, "venv");
  const found = await findPython({ projectDir: root, configured, env: config.env, managed });
  if (found === null) {
    return [{ state: "note", part, text: `${root}: no Python of its own; up makes one of ours (about 700 MB)` }];
  }
  const env = childEnvironment({ own: config.env, databaseUrl: config.databaseUrl, envFile: readEnvFile(envFile) });
  const python: Finding = { state: "ok", part, text: `Python ${found.version}, ${found.path} (${found.source})` };
  const names: Finding = { state: "ok", part, text: `a run gets ${Object.keys(env).sort().join(", ")}` };
  const described = await describeProject({ dir: root, python: found.path, env });
  const { error } = described.project;
  if (error !== null) return [python, { state: "wrong", part, text: told(error) }, names];
  return [
    python,
    { state: "ok", part, text: versionsOf(described.environment) },
    ...described.pipelines.map(
      (pipeline): Finding =>
        pipeline.error === null
          ? {
              state: pipeline.status === "ok" ? "ok" : "note",
              part,
              text: [`${pipeline.name}: ${pipeline.status}`, limitsText(runLimitsOf(described.project, pipeline))]
                .filter((text) => text !== null)
                .join(", "),
            }
          : { state: "wrong", part, text: `${pipeline.name}: ${told(pipeline.error)}` },
    ),
    names,
  ];
}

function told({ type, message, hint }: { type: string; message: string; hint: string | null }): string {
  return `${type}: ${message}${hint === null ? "" : ` ${hint}`}`;
}

function versionsOf({ packages }: JsonObject): string {
  const { flowerpower, hamilton } = (packages ?? {}) as JsonObject;
  return `FlowerPower ${flowerpower ?? "?"}, Hamilton ${hamilton ?? "?"}`;
}
