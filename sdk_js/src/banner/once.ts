/** Which rules have shown a banner: on this page, in this visit, in this browser. */

import { fieldsOf } from "../base/read";
import { readJson, writeJson } from "../base/storage";
import type { Banner } from "./banner";

const KEY = "banner_rules";
const MAX_REMEMBERED = 100;

export interface Once {
  /** Whether the rule has already shown what may be shown once. */
  isUsedUp(banner: Banner): boolean;
  remember(banner: Banner): void;
  /** Begins another page. */
  turnPage(): void;
}

/** The visit in which each rule last showed something is kept in the browser's storage, for all tabs. */
export function createOnce(sessionId: () => string): Once {
  const onPage = new Set<string>();
  const visits = () => fieldsOf(readJson(KEY));
  return {
    isUsedUp({ rule, conditions: { once } }) {
      if (once === "page") return onPage.has(rule);
      if (once === "session") return visits()[rule] === sessionId();
      return once === "visitor" && rule in visits();
    },
    remember({ rule }) {
      onPage.add(rule);
      const { [rule]: _before, ...others } = visits();
      const latest = Object.entries(others).slice(1 - MAX_REMEMBERED);
      writeJson(KEY, Object.fromEntries([...latest, [rule, sessionId()]]));
    },
    turnPage: () => onPage.clear(),
  };
}
