/** scroll: how far down the visitor has been. */

import { guarded, listen } from "../base/guard";
import type { Capture } from "./capture";

const DEPTHS_PCT = [25, 50, 75, 90, 100];
/** Fractional layouts end a pixel or two before their own height. */
const TOLERANCE_PX = 2;

export const captureScroll: Capture = ({ track, page }) => {
  let reached = 0;
  let isWaiting = false;
  const heightPx = watchHeight();

  const sample = guarded(() => {
    isWaiting = false;
    const bottomPx = window.scrollY + window.innerHeight + TOLERANCE_PX;
    const depthPct = (bottomPx / heightPx()) * 100;
    for (let depth = DEPTHS_PCT[reached]; depth !== undefined && depth <= depthPct; depth = DEPTHS_PCT[++reached]) {
      track("scroll", { depth_pct: depth });
    }
  });
  page.entered.on(() => {
    reached = 0;
  });
  listen(document, "scroll", (event) => {
    if (event.target !== document || isWaiting || reached === DEPTHS_PCT.length) return;
    isWaiting = true;
    requestAnimationFrame(sample);
  });
};

/** The document's height, measured only when it changes: reading it while scrolling forces a layout. */
function watchHeight(): () => number {
  const root = document.documentElement;
  let height = 0;
  const observer = new ResizeObserver(() => {
    height = root.scrollHeight;
  });
  observer.observe(root);
  if (document.body) observer.observe(document.body);
  return () => height || root.scrollHeight;
}
