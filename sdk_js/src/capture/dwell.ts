/** dwell: how long the visitor has been with the page, visible and focused. */

import { isWindowEvent } from "../base/dom";
import { later, listen } from "../base/guard";
import type { Capture } from "./capture";

const THRESHOLDS_MS = [5, 10, 15, 30, 60, 120, 180, 300].map((seconds) => seconds * 1000);
/** A timer later than this has slept with the machine; the visitor was not there. */
const MAX_LATENESS_MS = 1000;

export const captureDwell: Capture = ({ track, page, products }) => {
  let engagedMs = 0;
  let sinceMs: number | undefined;
  let reached = 0;
  let isFocused = document.hasFocus();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const remainingMs = () => (THRESHOLDS_MS[reached] ?? Infinity) - engagedMs;

  const pause = () => {
    clearTimeout(timer);
    if (sinceMs === undefined) return;
    const elapsedMs = Math.max(0, Date.now() - sinceMs);
    engagedMs += Math.min(elapsedMs, remainingMs() + MAX_LATENESS_MS);
    sinceMs = undefined;
  };
  const report = () => {
    while (remainingMs() <= 0) {
      track("dwell", {
        duration_ms: THRESHOLDS_MS[reached++],
        page_type: page.context().type,
        product_id: products.ofPage()?.product_id,
      });
    }
  };
  const update = () => {
    pause();
    report();
    const isEngaged = isFocused && !document.hidden;
    if (!isEngaged || remainingMs() === Infinity) return;
    sinceMs = Date.now();
    timer = later(update, remainingMs());
  };

  page.entered.on(() => {
    pause();
    engagedMs = reached = 0;
    update();
  });
  listen(window, "focus blur", (event) => {
    if (!isWindowEvent(event)) return;
    // Focus that went into a frame of the page has not left the page.
    isFocused = event.type === "focus" || document.activeElement?.localName === "iframe";
    update();
  });
  listen(document, "visibilitychange", update);
};
