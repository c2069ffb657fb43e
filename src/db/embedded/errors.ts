import { DomainError } from "../../domain/errors.ts";

/** Another process works on this data folder. */
export class DataFolderInUseError extends DomainError {
  readonly code = "DATA_FOLDER_IN_USE";
  /** Where the running one answers; null while it is still starting. */
  readonly url: string | null;

  constructor(folder: string, url: string | null) {
    super(
      url === null
        ? `Another flowerpower-queue is starting or stopping on ${folder}. Wait for it, or choose another folder with --data.`
        : `flowerpower-queue already runs on ${folder}: ${url}. Use that one, or choose another folder with --data.`,
    );
    this.url = url;
  }
}

/** The data folder can't be made, or not be written to. */
export class DataFolderUnusableError extends DomainError {
  readonly code = "DATA_FOLDER_UNUSABLE";

  constructor(folder: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `The data folder ${folder} can't be used (${reason}). Make it writable for this user, or choose another one with --data.`,
      null,
      { cause },
    );
  }
}

/** Embedded Postgres can't be had on this machine: its message says what to do about it. */
export class EmbeddedPostgresError extends DomainError {
  readonly code = "EMBEDDED_POSTGRES";
}

/** The data was written by another major version of Postgres than the one that we bring. */
export class PostgresVersionError extends DomainError {
  readonly code = "POSTGRES_VERSION";

  constructor(folder: string, found: string, expected: string) {
    super(
      `${folder} was written by Postgres ${found}, this release brings Postgres ${expected}, which can't read it. ` +
        `Go back to the release that wrote it, or serve the data with a Postgres ${found} of your own and set DATABASE_URL, ` +
        "or move the folder away to begin empty.",
    );
  }
}

export class DiskFullError extends DomainError {
  readonly code = "DISK_FULL";

  constructor(folder: string, freeBytes: number, neededBytes: number) {
    const mb = (bytes: number) => `${Math.floor(bytes / 1_000_000)} MB`;
    super(`${folder} has ${mb(freeBytes)} of free disk, Postgres needs ${mb(neededBytes)}. Free some space first.`);
  }
}
