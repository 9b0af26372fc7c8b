/** How long to wait before trying again. */

const BASE_MS = 1000;
const CAP_MS = 30_000;
/** Spreads the clients whom the collector told to come back at the same second. */
const SPREAD_MS = 1000;

/**
 * Exponential backoff with full jitter.
 *
 * @param attempt how many tries in a row have failed, from 1
 * @param retryAfterMs what the collector asked for, in milliseconds; 0 when it did not
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, retryAfterMs: number, random: number): number {
  if (retryAfterMs > 0) return retryAfterMs + random * SPREAD_MS;
  return random * Math.min(CAP_MS, BASE_MS * 2 ** attempt);
}
