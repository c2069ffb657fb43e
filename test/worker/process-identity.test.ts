import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { hasEnded, processIdentity } from "../../src/worker/process-identity.ts";
import { until } from "../support/runtimes.ts";

afterEach(() => vi.restoreAllMocks());

function sleeper() {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  return { child, pid: child.pid as number };
}

describe("processIdentity", () => {
  it("names a process, always alike, and no two alike", async () => {
    const { child, pid } = sleeper();
    const name = processIdentity(pid);
    expect(name).not.toBeNull();
    expect(processIdentity(pid)).toBe(name);
    expect(processIdentity(process.pid)).not.toBe(name);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(processIdentity(pid)).toBeNull();
  });
});

describe("hasEnded", () => {
  it("is false while the process lives, stopped or not, and true as soon as it has gone", async () => {
    const { child, pid } = sleeper();
    const name = processIdentity(pid) as string;
    expect(hasEnded(name, pid)).toBe(false);
    child.kill("SIGSTOP");
    expect(hasEnded(name, pid)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(hasEnded(name, pid)).toBe(true);
  });

  it("is true for a process that nobody has waited for yet", async () => {
    // The shell becomes a sleep, which never asks for the exit code of the shell's child.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    const [told] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(told.toString().trim());
    await until(
      () => readFileSync(`/proc/${parent.pid}/cmdline`, "latin1").startsWith("sleep"),
      "the shell has become a sleep",
    );
    const name = processIdentity(pid) as string;
    expect(hasEnded(name, pid)).toBe(false);
    process.kill(pid, "SIGKILL");
    await until(() => hasEnded(name, pid), "the zombie is known as ended");
    expect(() => process.kill(pid, 0)).not.toThrow(); // it is still there
    parent.kill("SIGKILL");
  });

  it("is true when the pid belongs to another process by now", () => {
    const name = processIdentity(process.pid) as string;
    const earlier = name.replace(/\d+$/, (startTime) => String(Number(startTime) - 1));
    expect(hasEnded(earlier, process.pid)).toBe(true);
  });

  it("knows nothing of processes elsewhere", () => {
    expect(hasEnded("another-boot/pid:[1]/1/1", 1)).toBe(false);
    expect(hasEnded(`${hostname()}-b/99999999`, 99_999_999)).toBe(false);
  });

  it("does not take a process that it may not see for one that has ended", () => {
    const name = processIdentity(process.pid) as string;
    const hidden = 2 ** 30; // beyond pid_max: nothing in /proc
    const itsName = name.replace(/\/\d+\/\d+$/, `/${hidden}/1`);
    expect(hasEnded(itsName, hidden)).toBe(true);
    vi.spyOn(process, "kill").mockImplementation(() => {
      throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
    });
    expect(hasEnded(itsName, hidden)).toBe(false);
  });
});
