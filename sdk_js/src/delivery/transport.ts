/** The requests to the collector, and what their answers mean. */

import type { BatchReply } from "../types";

const TIMEOUT_MS = 15_000;
/** Without a preflight: the collector reads JSON whatever the type says. */
const CONTENT_TYPE = "text/plain;charset=UTF-8";
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

export function createTransport(collector: string): Transport {
  const url = `${collector}/v1/batch`;
  return {
    async send(body) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
      try {
        return await readOutcome(await post(url, body, abort.signal));
      } catch {
        return { kind: "failed", retryAfterMs: 0 };
      } finally {
        clearTimeout(timer);
      }
    },
    beacon: (body) => !!navigator.sendBeacon?.(url, new Blob([body], { type: CONTENT_TYPE })),
  };
}

function post(url: string, body: string, signal: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body,
    headers: { "Content-Type": CONTENT_TYPE },
    credentials: "omit",
    keepalive: true,
    signal,
  });
}

async function readOutcome(response: Response): Promise<Outcome> {
  if (response.status === 200) return { kind: "accepted", reply: (await response.json()) as BatchReply };
  if (PERMANENT.includes(response.status)) return { kind: "refused", status: response.status };
  const seconds = Number(response.headers.get("Retry-After"));
  return { kind: "failed", retryAfterMs: seconds > 0 ? seconds * 1000 : 0 };
}
