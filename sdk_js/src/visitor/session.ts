/** One visit: it ends after half an hour without events. */

import { cut } from "../base/read";
import { readJson, remove, writeJson } from "../base/storage";
import { uuid } from "../base/uuid";
import type { Campaign } from "../types";

const KEY = "session";
const INACTIVITY_MS = 30 * 60 * 1000;
const MAX_CAMPAIGN_TEXT = 256;

interface State {
  id: string;
  seq: number;
  lastMs: number;
  campaign?: Campaign | undefined;
}

export interface SessionStep {
  id: string;
  /** Position within the session, from 1. */
  seq: number;
}

export interface Sessions {
  /** Whether an event now would begin a new session. */
  isOver(nowMs: number): boolean;
  /** Takes the next position in the current session, or the first in a new one. */
  advance(nowMs: number): SessionStep;
  campaign(): Campaign | undefined;
  /** The id of the latest session; empty before the first event. */
  current(): string;
  end(): void;
}

/** The session is shared by all tabs of the site through storage. */
export function createSessions(): Sessions {
  const load = () => readJson<State>(KEY);
  const isOver = (nowMs: number) => {
    const state = load();
    return !state || nowMs - state.lastMs > INACTIVITY_MS;
  };
  return {
    isOver,
    advance(nowMs) {
      const state: State = (!isOver(nowMs) && load()) || { id: uuid(nowMs), seq: 0, lastMs: nowMs };
      state.seq++;
      state.lastMs = nowMs;
      state.campaign = campaignOf(location.search) ?? state.campaign;
      writeJson(KEY, state);
      return state;
    },
    campaign: () => load()?.campaign,
    current: () => load()?.id ?? "",
    end: () => remove(KEY),
  };
}

function campaignOf(query: string): Campaign | undefined {
  if (!query.includes("utm_")) return undefined;
  const parameters = new URLSearchParams(query);
  const read = (name: string) => cut(parameters.get(`utm_${name}`) ?? "", MAX_CAMPAIGN_TEXT) || undefined;
  return {
    source: read("source"),
    medium: read("medium"),
    name: read("campaign"),
    term: read("term"),
    content: read("content"),
  };
}
