/** Messages that the collector has not acknowledged yet; they survive a reload and a crash. */

import { keys, readJson, remove, writeJson } from "../base/storage";
import { uuid } from "../base/uuid";

const PREFIX = "outbox_";
const MAX_ENTRIES = 500;
const MAX_LENGTH = 256 * 1024;
/** A page that has not written for this long is gone; a living one writes at least at each retry. */
const ABANDONED_AFTER_MS = 60_000;
const EXPIRED_AFTER_MS = 7 * 24 * 3600 * 1000;

export interface Entry {
  id: string;
  /** The anonymous id that the message belongs to. */
  owner: string;
  /** What proves that the owner is this browser; entries of earlier versions have none. */
  secret?: string;
  /** The message, serialised once. */
  json: string;
}

interface Stored {
  atMs: number;
  /** Whether the page that wrote it has left, so that any other may send it. */
  left: boolean;
  entries: Entry[];
}

export interface Outbox {
  add(entry: Entry): void;
  remove(sent: readonly Entry[]): void;
  entries(): readonly Entry[];
  /** Tells other pages that this one is still at work. */
  touch(): void;
  /** Hands the entries to whichever page of the site comes next. */
  leave(): void;
  /** Comes back from the back/forward cache; entries that another page took are its own now. */
  resume(): void;
  /** Takes over what pages that are gone have left. */
  adopt(nowMs: number): void;
  /** Forgets everything, and keeps what comes after in memory only. */
  discard(): void;
  /** Stores again after `discard`. */
  persist(): void;
}

/** Each page load writes under a key of its own, so tabs never overwrite one another. */
export function createOutbox(): Outbox {
  const key = PREFIX + uuid();
  let entries: Entry[] = [];
  let durable = true;
  let left = false;

  const save = () => {
    if (!durable) return;
    if (entries.length) writeJson(key, { atMs: Date.now(), left, entries } satisfies Stored);
    else remove(key);
  };
  const trim = () => {
    let length = entries.reduce((sum, entry) => sum + entry.json.length, 0);
    while (entries.length > MAX_ENTRIES || length > MAX_LENGTH) length -= entries.shift()?.json.length ?? length;
  };
  return {
    add(entry) {
      entries.push(entry);
      trim();
      save();
    },
    remove(sent) {
      entries = entries.filter((entry) => !sent.includes(entry));
      save();
    },
    entries: () => entries,
    touch: save,
    leave() {
      left = true;
      save();
    },
    resume() {
      left = false;
      if (!readJson<Stored>(key)) entries = [];
      save();
    },
    adopt(nowMs) {
      const found = keys(PREFIX).filter((other) => other !== key && isAbandoned(readJson(other), nowMs));
      entries = [...found.flatMap((other) => readEntries(readJson(other), nowMs)), ...entries];
      trim();
      save();
      found.forEach(remove);
    },
    discard() {
      entries = [];
      keys(PREFIX).forEach(remove);
      durable = false;
    },
    persist() {
      durable = true;
      save();
    },
  };
}

function isAbandoned(stored: Stored | undefined, nowMs: number): boolean {
  return !stored || stored.left || !(nowMs - stored.atMs < ABANDONED_AFTER_MS);
}

function readEntries(stored: Stored | undefined, nowMs: number): Entry[] {
  if (!stored || !(nowMs - stored.atMs < EXPIRED_AFTER_MS) || !Array.isArray(stored.entries)) return [];
  return stored.entries.filter((entry) => typeof entry?.id === "string" && typeof entry.json === "string");
}
