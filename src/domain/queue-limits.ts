/** What a queue lets pass; null: as much as comes. */
export interface QueueLimits {
  /** Jobs that are with workers at the same time, over all of them. */
  concurrencyLimit: number | null;
  /** Jobs that are given to workers within a time. */
  rateLimit: RateLimit | null;
  /** Jobs that wait in it. */
  backlogLimit: number | null;
}

/** A bucket that holds `jobs` and fills evenly, a whole one in `periodMs`. */
export interface RateLimit {
  jobs: number;
  periodMs: number;
}
