import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../src/runtime/environment.ts";

const databaseUrl = "postgres://queue";
const of = (own: Record<string, string>, envFile: string | null = null) =>
  childEnvironment({ own, databaseUrl, envFile });

describe("childEnvironment", () => {
  it("is the worker's without what is ours", () => {
    const env = of({ HOME: "/home/me", FLOWERPOWER_QUEUE_DATA: "/var/queue", DATABASE_URL: databaseUrl });
    expect(env.HOME).toBe("/home/me");
    expect(env).not.toHaveProperty("FLOWERPOWER_QUEUE_DATA");
    expect(env).not.toHaveProperty("DATABASE_URL");
  });

  it("keeps a DATABASE_URL that is the pipeline's", () => {
    expect(of({ DATABASE_URL: "postgres://warehouse" }).DATABASE_URL).toBe("postgres://warehouse");
    expect(of({ DATABASE_URL: databaseUrl }, "DATABASE_URL=postgres://warehouse").DATABASE_URL).toBe(
      "postgres://warehouse",
    );
    expect(of({}, `DATABASE_URL=${databaseUrl}`)).not.toHaveProperty("DATABASE_URL");
  });

  it("adds the env file, below what the deployment has set", () => {
    const env = of({ REGION: "eu" }, `# a comment\nREGION=us\nTOKEN="a b"\n`);
    expect(env).toMatchObject({ REGION: "eu", TOKEN: "a b" });
  });

  it("lets no window open and writes UTF-8, whatever is set", () => {
    expect(of({ MPLBACKEND: "TkAgg" })).toMatchObject({ MPLBACKEND: "Agg", PYTHONUTF8: "1" });
  });
});
