/** Which messages go into the next request, and what that request says. */

import type { BatchContext } from "../types";
import type { Entry } from "./outbox";

/** Browsers refuse beacons and keepalive requests above 64 KiB, whatever else is under way counted in. */
const MAX_BYTES = 60_000;
const MAX_ENTRIES = 50;

/** The longest run from the start that is one visitor's and fits; at least one entry when there is any. */
export function nextBatch(entries: readonly Entry[]): Entry[] {
  const batch: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += byteLength(entry.json);
    const fits = bytes <= MAX_BYTES && batch.length < MAX_ENTRIES && entry.owner === entries[0]?.owner;
    if (batch.length && !fits) break;
    batch.push(entry);
  }
  return batch;
}

export function batchBody(writeKey: string, context: BatchContext, batch: readonly Entry[], nowMs: number): string {
  const sentAt = new Date(nowMs).toISOString();
  const head = JSON.stringify({ writeKey, browserSecret: batch[0]?.secret, sentAt, context }).slice(0, -1);
  return `${head},"batch":[${batch.map((entry) => entry.json).join()}]}`;
}

/** How long a text is on the wire, in bytes. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
