/** Whether this visitor may be observed, and what they answered. */

import { bounded } from "../base/bounded";
import { readJson, writeJson } from "../base/storage";
import type { ConsentState } from "../types";

const KEY = "consent";
const YES = /^(true|1|yes|on|granted|allow(ed)?|accept(ed)?|agreed?|enabled|opted.?in|subscribed)$/i;

export interface Consent {
  /** Whether behaviour may be captured now. */
  granted(): boolean;
  /** The visitor's explicit answers; undefined when never asked. */
  state(): ConsentState | undefined;
  /** Merges an answer into the earlier ones and keeps it. */
  update(answer: ConsentState): ConsentState;
}

/**
 * Consent is granted by default, unless the site asks first (`optIn`) or the browser objects by
 * Global Privacy Control or Do Not Track; an explicit answer outranks all of these.
 */
export function createConsent(optIn: boolean): Consent {
  const state = () => readJson<ConsentState>(KEY);
  return {
    state,
    granted() {
      const analytics = state()?.analytics;
      // Whatever else a page may pass for an answer, only a yes is one; the collector reads the same words.
      return analytics === undefined ? !(optIn || browserObjects()) : YES.test(String(analytics).trim());
    },
    update(answer) {
      const before = state();
      const given: ConsentState = bounded({ ...answer });
      const channels = given.channels && { ...before?.channels, ...given.channels };
      const merged = { ...before, ...given, ...(channels && { channels }) };
      writeJson(KEY, merged);
      return merged;
    },
  };
}

function browserObjects(): boolean {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return globalPrivacyControl === true || doNotTrack === "1";
}
