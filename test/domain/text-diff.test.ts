import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { unifiedDiff } from "../../src/domain/text-diff.ts";
import { Random } from "../simulation/random.ts";

it("tells what was removed and added with the lines around it", () => {
  const from = "def out(x: int) -> int:\n    y = x\n    return y\n";
  const to = "def out(x: int) -> int:\n    y = x + 1\n    return y\n";
  expect(unifiedDiff(from, to)).toBe(
    "@@ -1,3 +1,3 @@\n def out(x: int) -> int:\n-    y = x\n+    y = x + 1\n     return y",
  );
});

it("tells nothing of equal texts, and all of one that was not there", () => {
  expect(unifiedDiff("a\n", "a\n")).toBeNull();
  expect(unifiedDiff("a\n", "a")).toBeNull();
  expect(unifiedDiff(null, "a\nb\n")).toBe("@@ -0,0 +1,2 @@\n+a\n+b");
  expect(unifiedDiff("a\nb\n", null)).toBe("@@ -1,2 +0,0 @@\n-a\n-b");
});

it("is taken by `patch`, which makes one text of the other", () => {
  const folder = mkdtempSync(join(tmpdir(), "diff-"));
  try {
    const random = new Random(7);
    const text = () => Array.from({ length: random.between(0, 30) }, () => `line ${random.between(0, 6)}\n`).join("");
    for (let round = 0; round < 40; round += 1) {
      const [from, to] = [text(), text()];
      const diff = unifiedDiff(from, to);
      if (diff === null) continue;
      const file = join(folder, "text");
      writeFileSync(file, from);
      const patch = spawnSync("patch", ["-s", file], { input: `--- a\n+++ b\n${diff}\n`, encoding: "utf8" });
      expect(patch.stdout + patch.stderr).toBe("");
      const made = spawnSync("cat", [file], { encoding: "utf8" }).stdout;
      expect(made, diff).toBe(to);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("tells texts that differ in too much as wholly different, at once", () => {
  const text = (prefix: string) => Array.from({ length: 5000 }, (_, n) => `${prefix} ${n}\n`).join("");
  const diff = unifiedDiff(text("a"), text("b")) ?? "";
  expect(diff.split("\n")).toHaveLength(1 + 2 * 5000);
  expect(diff).toMatch(/^@@ -1,5000 \+1,5000 @@\n-a 0\n/);
});
