/** What is kept of what a run makes. */
export interface ArtifactLimits {
  /** JSON of a result up to this many bytes is a value in the database; larger ones, and what is no JSON, become files. */
  inlineBytes: number;
  /** Of one file. */
  bytes: number;
  /** Of all files of one attempt. */
  totalBytes: number;
  /** Files that a run leaves in its folder. */
  files: number;
  /** Less room on the disk than this, and nothing more is kept. */
  freeBytes: number;
  /** For all of it, after the run has ended. */
  storingMs: number;
}

export const artifactLimits: ArtifactLimits = {
  inlineBytes: 64 * 1024,
  bytes: 100_000_000,
  totalBytes: 500_000_000,
  files: 200,
  freeBytes: 1_000_000_000,
  storingMs: 300_000,
};
