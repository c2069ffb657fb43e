import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { openProcessGroup, parsePs, parseStat } from "../../src/runtime/process-group.ts";
import { until } from "../support/runtimes.ts";

describe("what a process uses", () => {
  it("is read from /proc, whatever the program is called", () => {
    const line =
      "4242 (a) b (c) S 1 4200 4100 0 -1 4194304 900 0 0 0 150 50 7 3 20 0 4 0 123456 1000000 2500 18446744073709551615 1\n";
    expect(parseStat(line)).toEqual({
      pid: 4242,
      group: 4200,
      session: 4100,
      cpuTicks: 210,
      startedTicks: 123456,
      pages: 2500,
    });
  });

  it("is read from ps where there is no /proc", () => {
    const text = [
      "    1     1  12345   0:10.00 12-03:04:05",
      "  501   500 204800   1:02.50      01:10",
      "  502   500   1024   0:00.25   1:00:00",
      "  503   503   1024   0:00.25      00:01",
      "",
    ].join("\n");
    expect(parsePs(text, 500)).toEqual([
      { pid: 501, residentBytes: 204800 * 1024, cpuMs: 62_500, ageMs: 70_000 },
      { pid: 502, residentBytes: 1024 * 1024, cpuMs: 250, ageMs: 3_600_000 },
    ]);
  });
});

it("finds the processes of a session, and those that they start, and no others", async () => {
  const child = spawn("/bin/sh", ["-c", "sleep 600 & sleep 600"], { detached: true, stdio: "ignore" });
  await once(child, "spawn");
  try {
    const group = openProcessGroup(child.pid!);
    let found = await group.processes();
    await until(
      // A process that has only just been forked holds nothing yet.
      () => found.length === 3 && found.every(({ residentBytes }) => residentBytes > 100_000),
      "all three are found",
      5000,
      async () => {
        found = await group.processes();
      },
    );
    for (const { residentBytes, ageMs } of found) {
      expect(residentBytes).toBeLessThan(100e6);
      expect(ageMs).toBeLessThan(10_000);
    }
    const shared = await group.withoutSharedTwice(found);
    if (shared !== null) expect(shared).toBeLessThan(found.reduce((sum, { residentBytes }) => sum + residentBytes, 0));
  } finally {
    process.kill(-child.pid!, "SIGKILL");
  }
});
