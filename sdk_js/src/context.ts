/** What each batch says about the browser and the visit. */

import type { BatchContext } from "./types";
import type { Consent } from "./visitor/consent";
import type { Sessions } from "./visitor/session";

declare const __VERSION__: string;
export const VERSION = __VERSION__;

/** Returns what describes the batch that is about to be sent. */
export function createContext(sessions: Sessions, consent: Consent): () => BatchContext {
  // Known when first needed: asking a browser for its time zone the first time takes it milliseconds.
  let timezone: string | undefined;
  return () => ({
    library: { name: "mm.js", version: VERSION },
    locale: navigator.language,
    timezone: (timezone ??= Intl.DateTimeFormat().resolvedOptions().timeZone),
    screen: { width: screen.width, height: screen.height },
    campaign: sessions.campaign(),
    consent: consent.state(),
  });
}
