import { join } from "node:path";
import { z } from "zod";
import { isStorePath } from "./paths.ts";
import { ArtifactMissingError, type ArtifactStore } from "./store.ts";
import { StoreProcess } from "./store-process.ts";

/** What is fetched at once: one request of the store, and one line of base64. */
const pieceBytes = 4 * 1024 * 1024;

/** The Python that speaks to the store: any with fsspec and what the URL needs (s3fs for `s3://`). */
export interface StorePython {
  path: string;
  environment(): Readonly<Record<string, string>>;
}

/** A store that fsspec reaches, through a Python process of its own. */
export function openFsspecStore(url: string, python: StorePython): ArtifactStore {
  const packages = join(import.meta.dirname, "../../python");
  const process = new StoreProcess(url, { python: python.path, environment: python.environment, packages });

  async function fetchPiece(path: string, start: number, end: number): Promise<Uint8Array> {
    const { data } = await process.ask({ do: "read", path, start, end }, z.object({ data: z.base64() }));
    const piece = Buffer.from(data, "base64");
    // Shorter than it was when it was written: it is another file.
    if (piece.length !== end - start) throw new ArtifactMissingError(path);
    return piece;
  }

  async function* pieces(path: string, first: Uint8Array, start: number, end: number): AsyncGenerator<Uint8Array> {
    let piece: Uint8Array | null = first;
    for (let at = start + first.length; piece !== null; at += pieceBytes) {
      // While one is sent the next is fetched; never more of them, however slow the reader is.
      const next: Promise<Uint8Array> | null = at < end ? fetchPiece(path, at, Math.min(at + pieceBytes, end)) : null;
      next?.catch(() => {}); // thrown below
      yield piece;
      piece = next === null ? null : await next;
    }
  }

  return {
    url,
    id: async () => (await process.ask({ do: "identity", create: false }, identity)).id,
    claim: async () => (await process.ask({ do: "identity", create: true }, identity)).id as string,
    async read(path, start, end) {
      if (!isStorePath(path)) throw new ArtifactMissingError(path);
      const first = end === start ? new Uint8Array() : await fetchPiece(path, start, Math.min(start + pieceBytes, end));
      return pieces(path, first, start, end);
    },
    async remove(paths) {
      const ours = paths.filter(isStorePath);
      if (ours.length > 0) await process.ask({ do: "remove", paths: ours }, z.object({}));
    },
    names: async (folder) =>
      (await process.ask({ do: "names", folder }, z.object({ names: z.string().array() }))).names,
    freeBytes: async () => null,
    [Symbol.asyncDispose]: () => process.close(),
  };
}

const identity = z.object({ id: z.string().nullable() });
