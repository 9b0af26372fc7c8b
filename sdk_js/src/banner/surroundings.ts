/** What the core hands to the part that shows banners; the two files may be of different versions. */

import type { ConsentState, Properties } from "../types";

export interface Surroundings {
  track(event: string, properties: Properties): void;
  /** Sends what waits, since a click may leave the page at once. */
  sendNow(): void;
  /** Calls back after each change of page, also without a load. */
  onNavigate(handler: () => void): void;
  /** Which visit this is; another one after half an hour of silence. */
  sessionId(): string;
  /** What the visitor answered when asked whether they may be addressed. */
  consent(): ConsentState;
  /** Tells a developer who asked for it what happens. */
  say(...details: unknown[]): void;
  /** The page's CSP nonce for style elements; empty when it has none. */
  nonce: string;
}
