import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFsspecStore } from "../../src/artifacts/fsspec-store.ts";
import { openStore, storeUrl } from "../../src/artifacts/open.ts";
import { attemptFolder, attemptOf } from "../../src/artifacts/paths.ts";
import { ArtifactMissingError, type ArtifactStore, StoreUnusableError } from "../../src/artifacts/store.ts";
import { UnavailableError } from "../../src/domain/errors.ts";
import { testPython } from "../support/python.ts";
import { testEnvironment } from "../support/runtimes.ts";
import { type S3Server, startS3 } from "../support/s3-server.ts";

let folder: string;
let s3: S3Server;
let python: string;
const opened: ArtifactStore[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fpq-store-"));
  [s3, python] = await Promise.all([startS3(), testPython()]);
});
afterAll(async () => {
  for (const store of opened) await store[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function writeBelow(root: string, path: string, bytes: Buffer | string) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), bytes);
}

/** Each kind of store, and a way to put a file into it as a runtime does. */
const kinds: Record<string, () => { store: ArtifactStore; put(path: string, bytes: Buffer | string): Promise<void> }> =
  {
    "a folder": () => {
      const root = join(folder, "local");
      const store = openStore(pathToFileURL(root).href, null);
      return { store, put: (path, bytes) => writeBelow(root, path, bytes) };
    },
    "a folder by Python": () => {
      const root = join(folder, "by python");
      const store = openFsspecStore(pathToFileURL(root).href, { path: python, environment: () => testEnvironment });
      return { store, put: (path, bytes) => writeBelow(root, path, bytes) };
    },
    S3: () => {
      const environment = () => ({ ...testEnvironment, ...s3.env });
      const store = openStore("s3://results/below", { path: python, environment });
      return { store, put: async (path, bytes) => void s3.objects.set(`results/below/${path}`, Buffer.from(bytes)) };
    },
  };

describe.each(Object.keys(kinds))("%s", (kind) => {
  let store: ArtifactStore;
  let put: (path: string, bytes: Buffer | string) => Promise<void>;
  beforeAll(() => {
    ({ store, put } = kinds[kind]!());
    opened.push(store);
  });
  const read = async (path: string, start: number, end: number) =>
    Buffer.concat(await Array.fromAsync(await store.read(path, start, end)));

  it("has no id until it is claimed, and one from then on", async () => {
    expect(await store.id()).toBeNull();
    const id = await store.claim();
    expect(id).toMatch(/^[\da-f-]{36}$/);
    expect([await store.claim(), await store.id()]).toEqual([id, id]);
  });

  it("reads what was put there, all of it or a part", async () => {
    await put("e/2026-11-23/one/a.txt", "hello");
    expect((await read("e/2026-11-23/one/a.txt", 0, 5)).toString()).toBe("hello");
    expect((await read("e/2026-11-23/one/a.txt", 1, 3)).toString()).toBe("el");
    expect((await read("e/2026-11-23/one/a.txt", 2, 2)).toString()).toBe("");
  });

  it("reads what is larger than one piece, byte for byte", async () => {
    const bytes = randomBytes(9 * 1024 * 1024 + 17);
    await put("e/2026-11-23/one/large.bin", bytes);
    expect((await read("e/2026-11-23/one/large.bin", 0, bytes.length)).equals(bytes)).toBe(true);
    expect((await read("e/2026-11-23/one/large.bin", 5, bytes.length - 3)).equals(bytes.subarray(5, -3))).toBe(true);
  });

  it("says that a file is gone, or shorter than it was, before its first byte", async () => {
    await expect(store.read("e/2026-11-23/none.txt", 0, 5)).rejects.toThrow(ArtifactMissingError);
    await put("e/2026-11-23/two/short.txt", "ab");
    await expect(store.read("e/2026-11-23/two/short.txt", 0, 5)).rejects.toThrow(ArtifactMissingError);
  });

  it.each(["../outside", "/etc/hostname", "e/../../x", "a//b", ".", "e/./x", "e/\0", ""])(
    "reads nothing under the path %j",
    async (path) => {
      await expect(store.read(path, 0, 1)).rejects.toThrow(ArtifactMissingError);
    },
  );

  it("lists folders, and removes files and folders, those too that are gone already", async () => {
    await put("e/2026-11-24/three/a.txt", "a");
    await put("e/2026-11-24/four/b.txt", "b");
    expect(await store.names("e/2026-11-24")).toEqual(["four", "three"]);
    await store.remove(["e/2026-11-24/three", "e/2026-11-24/four/b.txt", "e/2026-11-24/five"]);
    expect(await store.names("e/2026-11-24")).not.toContain("three");
    expect(await store.names("e/2026-11-24/four")).toEqual([]);
    expect(await store.names("nothing")).toEqual([]);
  });
});

it("a folder follows no link, and is its owner's alone", async () => {
  const root = join(folder, "guarded");
  const store = openStore(pathToFileURL(root).href, null);
  await store.claim();
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  await writeFile(join(folder, "secret"), "secret");
  await symlink(join(folder, "secret"), join(root, "link.txt"));
  await expect(store.read("link.txt", 0, 6)).rejects.toThrow(ArtifactMissingError);
  expect(await store.freeBytes()).toBeGreaterThan(0);
});

it("a folder that is empty after a removal is removed too", async () => {
  const root = join(folder, "tidy");
  const store = openStore(pathToFileURL(root).href, null);
  await store.claim();
  await writeBelow(root, "e/2026-11-23/one/a.txt", "a");
  await store.remove(["e/2026-11-23/one/a.txt"]);
  expect(await store.names("")).toEqual(["store-id"]);
});

it("a store that does not answer is unavailable, and is asked again when its process has died", async () => {
  await using away = await startS3();
  const environment = () => ({ ...testEnvironment, ...away.env });
  const store = openStore("s3://away", { path: python, environment });
  opened.push(store);
  away.objects.set("away/a.txt", Buffer.from("a"));
  away.fail();
  await expect(store.read("a.txt", 0, 1)).rejects.toThrow(UnavailableError);

  const none = openStore("s3://x", { path: join(folder, "no-python"), environment });
  await expect(none.id()).rejects.toThrow(/cannot be started/);
  await expect(none.id()).rejects.toThrow(UnavailableError);
});

it("a URL that nobody can open says so", async () => {
  const store = openStore("nowhere://x", { path: python, environment: () => testEnvironment });
  opened.push(store);
  await expect(store.id()).rejects.toThrow(StoreUnusableError);
});

describe("storeUrl", () => {
  const at = (path: string) => `file:///here/${path}`;

  it("takes a URL as it is and a folder as one", () => {
    expect(storeUrl("s3://bucket/folder/", at)).toBe("s3://bucket/folder");
    expect(storeUrl("results", at)).toBe("file:///here/results");
  });

  it.each([
    ["memory://x", /memory of one process/],
    ["sftp://ada:secret@host/x", /sftp:\/\/ada:\*+@host/],
    ["s3:", /needs|no URL|cannot/],
  ])("refuses %s", (text, message) => {
    const refused = () => openStore(storeUrl(text, at), null);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/secret/);
  });
});

it("an attempt's folder says whose it is", () => {
  const attempt = {
    jobId: "0193a5b0-6f0c-7d52-9b41-6a51c8c0a7de",
    attempt: 12,
    runToken: "9b2f0e40-a14c-4b9d-8c0c-8f5a2f7d1144",
  };
  const path = attemptFolder(attempt, { epoch: "e", nowMs: Date.UTC(2026, 10, 23, 23, 59) });
  expect(path).toMatch(/^e\/2026-11-23\/job_/);
  expect(attemptOf(path.split("/")[2]!)).toEqual(attempt);
  for (const name of ["", "store-id", "job_x.1.y", `${path.split("/")[2]}x`]) expect(attemptOf(name)).toBeNull();
});
