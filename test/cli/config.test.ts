import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/cli/config.ts";

describe("readConfig", () => {
  it("takes what is set and leaves the rest open", () => {
    const config = readConfig({
      DATABASE_URL: "postgres://u:p@db:5432/x",
      FLOWERPOWER_QUEUE_PORT: "4100",
      FLOWERPOWER_QUEUE_URL: "",
    });
    expect(config).toMatchObject({
      databaseUrl: "postgres://u:p@db:5432/x",
      port: 4100,
      url: null,
      slots: null,
      data: null,
    });
  });

  it("tells everything that is wrong at once, and no secret", () => {
    const read = () =>
      readConfig({
        DATABASE_URL: "mysql://u:hunter2@db/x",
        FLOWERPOWER_QUEUE_PORT: "80800",
        FLOWERPOWER_QUEUE_SLOTS: "many",
      });
    expect(read).toThrow(
      /DATABASE_URL: a URL like postgres:.*\n.*FLOWERPOWER_QUEUE_PORT: .*65535.*\n.*FLOWERPOWER_QUEUE_SLOTS: /s,
    );
    expect(read).not.toThrow("hunter2");
  });

  it("takes how long jobs are kept, and tells how it is written", () => {
    const { keep } = readConfig({ FLOWERPOWER_QUEUE_KEEP: "14d,failed=never,last=5" });
    const fortnightMs = 14 * 86_400_000;
    expect(keep).toEqual({
      ageMs: { succeeded: fortnightMs, failed: null, cancelled: fortnightMs, expired: fortnightMs },
      keepLast: 5,
    });
    expect(readConfig({}).keep).toBeNull();
    expect(() => readConfig({ FLOWERPOWER_QUEUE_KEEP: "soon" })).toThrow(/FLOWERPOWER_QUEUE_KEEP: a time .*last=50/);
  });

  it.each([
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    [{ FORCE_COLOR: "1" }, true],
    [{ NO_COLOR: "" }, null],
    [{ TERM: "dumb" }, false],
  ])("takes %j for colours %s", (env, colour) => expect(readConfig(env).colour).toBe(colour));

  it.each([
    [{ LANG: "de_DE.UTF-8" }, true],
    [{ LANG: "de_DE.UTF-8", LC_ALL: "C" }, false],
    [{ TERM: "linux" }, false],
    [{ TERM: "xterm" }, true],
  ])("takes %j for Unicode %s", (env, unicode) => expect(readConfig(env).unicode).toBe(unicode));
});
