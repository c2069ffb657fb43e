import { noRetry, type RetryPolicy } from "../domain/retry.ts";
import type { RetryRequest } from "../domain/run-request.ts";
import type { JobQueueSettings } from "../runtime/protocol.ts";

/** A retry as somebody has written it, in seconds: of what is absent nothing is said. */
type WrittenRetry = NonNullable<JobQueueSettings["retry"]>;

export interface ResolvedRetry {
  policy: RetryPolicy;
  /** The place that says how often, or `default`. */
  source: string;
  /** That place says: never. */
  forbidden: boolean;
}

/** FlowerPower's own defaults for a retry that is asked for without saying more. */
const retryDefaults = { retryDelay: 1, jitterFactor: 0.1 } as const;

/** The database counts attempts in 32 bits. */
const largestInt = 2 ** 31 - 1;

/**
 * The policy of the nearest place that says how often, its other values filled from the places around it; a request stands for
 * itself. Only what is written counts: FlowerPower would try any failure three times more, which nobody has asked for (B12).
 */
export function retryOf(
  places: readonly (readonly [retry: WrittenRetry | null | undefined, source: string])[],
): ResolvedRetry {
  const [, source] = places.find(([retry]) => retry?.maxRetries !== undefined) ?? [];
  if (source === undefined) return { policy: noRetry, source: "default", forbidden: false };
  const written = places.filter((place) => source !== asked || place[1] === asked).map(([retry]) => retry ?? {});
  const nearest = <Key extends keyof WrittenRetry>(key: Key) =>
    written.map((retry) => retry[key]).find((value) => value !== undefined);
  const maxRetries = nearest("maxRetries") ?? 0;
  const [maxDelay, never] = [nearest("maxDelay"), nearest("nonRetryableExceptions")];
  const policy: RetryPolicy = {
    maxAttempts: Math.min(maxRetries + 1, largestInt),
    jitter: nearest("jitterFactor") ?? retryDefaults.jitterFactor,
    exceptions: nearest("retryExceptions") ?? null,
    ...delaysOf(written),
    ...(maxDelay !== undefined && { maxDelayMs: milliseconds(maxDelay) }),
    ...(never !== undefined && { never }),
  };
  return { policy, source, forbidden: maxRetries === 0 };
}

const asked = "request";

/** A list of delays counts only where it is nearest: whoever writes another delay nearer to the job does not mean it. */
function delaysOf(written: readonly WrittenRetry[]): Pick<RetryPolicy, "delayMs" | "backoff" | "delaysMs"> {
  const speaks = ({ delays, retryDelay, backoff }: WrittenRetry) =>
    delays !== undefined || retryDelay !== undefined || backoff !== undefined;
  const delays = written.find(speaks)?.delays;
  const retryDelay = written.find((retry) => retry.retryDelay !== undefined)?.retryDelay;
  const backoff = written.find((retry) => retry.backoff !== undefined)?.backoff;
  return {
    delayMs: milliseconds(retryDelay ?? retryDefaults.retryDelay),
    ...(backoff !== undefined && { backoff }),
    ...(delays !== undefined && { delaysMs: delays.map(milliseconds) }),
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** A request's retry in FlowerPower's words. */
export function asRetrySetting(retry: RetryRequest | null): WrittenRetry | null {
  if (retry === null) return null;
  const { retryDelayMs, delaysMs, maxDelayMs, ...same } = retry;
  return {
    ...same,
    ...(retryDelayMs !== undefined && { retryDelay: retryDelayMs / 1000 }),
    ...(delaysMs !== undefined && { delays: delaysMs.map((delayMs) => delayMs / 1000) }),
    ...(maxDelayMs !== undefined && { maxDelay: maxDelayMs / 1000 }),
  };
}
