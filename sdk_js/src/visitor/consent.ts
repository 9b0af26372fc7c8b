/** Whether this visitor may be observed, and what they answered. */

import { readJson, writeJson } from "../base/storage";
import type { ConsentState } from "../types";

const KEY = "consent";

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
    granted: () => state()?.analytics ?? !(optIn || browserObjects()),
    update(answer) {
      const before = state();
      const channels = answer.channels && { ...before?.channels, ...answer.channels };
      const merged = { ...before, ...answer, ...(channels && { channels }) };
      writeJson(KEY, merged);
      return merged;
    },
  };
}

function browserObjects(): boolean {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return globalPrivacyControl === true || doNotTrack === "1";
}
