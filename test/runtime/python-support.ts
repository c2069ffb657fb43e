import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "fpq-python-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A program that answers our question as such a Python would, and can do nothing else. */
export function fakePython(path: string, version: string, { ensurepip = false, pip = false } = {}): string {
  const flag = (value: boolean) => (value ? "1" : "0");
  return script(path, `echo "${version} ${flag(ensurepip)} ${flag(pip)} ${path}"`);
}

export function script(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/**
 * A package index in a folder, with stand-ins for FlowerPower and Hamilton: the real pip installs them into a real
 * environment within seconds, without a network.
 */
export function packageIndex(folder: string): { lockFile: string; devLockFile: string; env: NodeJS.ProcessEnv } {
  const wheels = join(folder, "wheels");
  mkdirSync(wheels);
  const program = `
import sys, zipfile
for name, files in {
    "flowerpower": {"flowerpower/__init__.py": ""},
    "hamilton": {"hamilton/__init__.py": "", "hamilton/driver.py": ""},
    "devtool": {"devtool.py": "print('at work')"},
}.items():
    info = f"{name}-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    with zipfile.ZipFile(f"{sys.argv[1]}/{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in files))
`;
  execFileSync("python3", ["-c", program, wheels]);
  const lockFile = join(folder, "requirements.lock");
  writeFileSync(lockFile, "flowerpower==1.0\nhamilton==1.0\n");
  const devLockFile = join(folder, "requirements-dev.lock");
  writeFileSync(devLockFile, "devtool==1.0\n");
  const env = { ...process.env, PIP_CONFIG_FILE: "/dev/null", PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels };
  return { lockFile, devLockFile, env };
}
