/** The requests to the collector, and what their answers mean. */

import type { BatchReply } from "../types";

const TIMEOUT_MS = 15_000;
/** Malformed, unknown write key, too large: the same request would fail again. */
const PERMANENT = [400, 401, 413];

export type Outcome =
  | { kind: "accepted"; reply: BatchReply }
  | { kind: "refused"; status: number }
  | { kind: "failed"; retryAfterMs: number };

export interface Transport {
  send(body: string): Promise<Outcome>;
  /** Queues a request that survives the page; false when the browser does not take it. */
  beacon(body: string): boolean;
}

/** Bodies go as text/plain, which a browser makes of any text and sends to another origin without a preflight. */
export function createTransport(collector: string): Transport {
  const url = `${collector}/v1/batch`;
  return {
    async send(body) {
      try {
        const signal = AbortSignal.timeout?.(TIMEOUT_MS) ?? null;
        return await readOutcome(
          await fetch(url, { method: "POST", body, credentials: "omit", keepalive: true, signal }),
        );
      } catch {
        return { kind: "failed", retryAfterMs: 0 };
      }
    },
    beacon: (body) => navigator.sendBeacon(url, body),
  };
}

async function readOutcome(response: Response): Promise<Outcome> {
  const { status } = response;
  if (status === 200) return { kind: "accepted", reply: (await response.json()) as BatchReply };
  if (PERMANENT.includes(status)) return { kind: "refused", status };
  return { kind: "failed", retryAfterMs: Number(response.headers.get("Retry-After")) * 1000 || 0 };
}
