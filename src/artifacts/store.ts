import { DomainError, UnavailableError } from "../domain/errors.ts";

/**
 * Where the files of artifacts are. The Python runtimes write into it, by themselves; this is what servers need to hand files
 * out, and workers to remove them.
 */
export interface ArtifactStore extends AsyncDisposable {
  /** As it was named. */
  readonly url: string;
  /** The id that the store carries in itself; null when nobody has written there yet. */
  id(): Promise<string | null>;
  /** The id; the store is made, and marked with one, when it has none. */
  claim(): Promise<string>;
  /** Bytes from `start` up to before `end`. Throws an ArtifactMissingError before the first of them. */
  read(path: string, start: number, end: number): Promise<AsyncIterable<Uint8Array>>;
  /** Removes files, and folders with all that is in them. What is not there is removed already. */
  remove(paths: readonly string[]): Promise<void>;
  /** What lies in a folder (`""`: the store itself), sorted; nothing when it does not exist. */
  names(folder: string): Promise<string[]>;
  /** Room that is left; null where nobody knows. */
  freeBytes(): Promise<number | null>;
}

/** The file is not in its store any more, though nobody here has removed it. */
export class ArtifactMissingError extends DomainError {
  readonly code = "GONE";

  /** Within the store; not told to clients. */
  readonly file: string;

  constructor(file: string) {
    super("Its file is no longer in the artifact store: somebody has removed it there.");
    this.file = file;
  }
}

/** The store cannot be used as it was named. */
export class StoreUnusableError extends DomainError {
  readonly code = "STORE_UNUSABLE";

  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(`The artifact store ${url} cannot be used: ${reason}`, null, options);
  }
}

/** The store does not answer. */
export class StoreAwayError extends UnavailableError {
  constructor(url: string, reason: string) {
    super(`The artifact store ${url} does not answer at present: ${reason}`, 5000);
  }
}
