import { fileURLToPath } from "node:url";
import { openFsspecStore, type StorePython } from "./fsspec-store.ts";
import { openLocalStore } from "./local-store.ts";
import { type ArtifactStore, StoreUnusableError } from "./store.ts";

/**
 * The store behind a URL. A folder needs nothing; for any other a Python with fsspec is needed.
 *
 * @throws StoreUnusableError
 */
export function openStore(url: string, python: StorePython | null): ArtifactStore {
  if (url.startsWith("file://")) return openLocalStore(fileURLToPath(url));
  if (python === null) throw new StoreUnusableError(url, "it needs a Python with fsspec, and there is none.");
  return openFsspecStore(url, python);
}

/**
 * The URL of a store as somebody has written it: a URL, or a folder.
 *
 * @throws StoreUnusableError for one that cannot be shared, or that holds a secret: it is shown and written down
 */
export function storeUrl(text: string, fromPath: (path: string) => string): string {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return fromPath(text);
  const url = URL.parse(text);
  if (url === null) throw new StoreUnusableError(text, "it is no URL. It looks like s3://bucket/folder, or a folder.");
  if (url.password !== "") {
    url.password = "*****";
    const reason = "give its password by the environment, as fsspec and the cloud's own tools read it.";
    throw new StoreUnusableError(url.href, reason);
  }
  if (url.protocol === "memory:") {
    throw new StoreUnusableError(text, "what is kept in the memory of one process no other process can read.");
  }
  return text.replace(/\/+$/, "");
}
