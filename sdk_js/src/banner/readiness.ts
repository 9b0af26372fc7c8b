/** Whether a banner may be shown now: the one place where its conditions are weighed. */

import type { ConsentState } from "../types";
import type { Banner } from "./banner";
import { isConsentedTo, isForPage } from "./conditions";
import type { Once } from "./once";
import type { PageFacts } from "./page-facts";

/** How long a page may take to make the element that an inline banner belongs to. */
export const SLOT_WAIT_MS = 10_000;

export interface Waiting {
  banner: Banner;
  /** When this page got it. */
  arrivedMs: number;
}

/** What became of the other banners, and what the page has. */
export interface Scene {
  page: PageFacts;
  once: Once;
  consent: ConsentState;
  /** Until when no other banner may cover the page; Infinity while one does. */
  coveredUntilMs: number;
  /** The element that a selector names; undefined when there is none that is free. */
  slot(selector: string): Element | undefined;
}

/** An element to show it at; else until when to wait if nothing happens before, or why it never will. */
export type Readiness =
  | { at: Element }
  | { untilMs: number; lacksSlot?: boolean }
  | { never: "expired" | "no_consent" | "once" | "no_slot" };

/** Weighs a banner's conditions, cheapest first; asked again when it is about to be shown. */
export function readinessOf({ banner, arrivedMs }: Waiting, scene: Scene, nowMs: number): Readiness {
  const { conditions, expiresAtMs } = banner;
  if (expiresAtMs <= nowMs || (banner.countdown && banner.countdown.endMs(nowMs) <= nowMs)) return { never: "expired" };
  if (!isConsentedTo(banner, scene.consent)) return { never: "no_consent" };
  const waits = { untilMs: expiresAtMs };
  if (!isForPage(conditions, scene.page.path())) return waits;
  if (scene.once.isUsedUp(banner)) return conditions.once === "page" ? waits : { never: "once" };
  const startMs = Math.max(arrivedMs, scene.page.enteredMs()) + conditions.delayMs;
  if (nowMs < startMs) return { untilMs: Math.min(startMs, expiresAtMs) };
  if (conditions.on === "exit_intent" && scene.page.exitMs() < startMs) return waits;
  if (conditions.on === "scroll" && scene.page.depthPct() < conditions.scrollPct) return waits;
  if (banner.form !== "inline") {
    return nowMs < scene.coveredUntilMs ? { untilMs: Math.min(scene.coveredUntilMs, expiresAtMs) } : { at: document.body };
  }
  const slot = scene.slot(banner.selector);
  if (slot) return { at: slot };
  const giveUpMs = startMs + SLOT_WAIT_MS;
  if (nowMs >= giveUpMs) return { never: "no_slot" };
  return { untilMs: Math.min(giveUpMs, expiresAtMs), lacksSlot: true };
}
