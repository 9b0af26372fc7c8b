/** What the visitor has done on the page that they are on, as far as banners wait for it. */

import { guarded, listen } from "../base/guard";
import { watchExitIntent } from "../page/exit-intent";

export interface PageFacts {
  path(): string;
  /** When the visitor came to this page, in milliseconds since the epoch; 0 when that was before the banners. */
  enteredMs(): number;
  /** When they last made to leave it; 0 for never. */
  exitMs(): number;
  /** How far down they have been. */
  depthPct(): number;
}

/** Follows the page; `onChange` is told of whatever could be waited for. */
export function watchPage(onNavigate: (handler: () => void) => void, onChange: () => void): PageFacts {
  let enteredMs = 0;
  let exitMs = 0;
  let depthPct = 0;
  let isMeasuring = false;

  const measure = guarded(() => {
    isMeasuring = false;
    const { scrollHeight } = document.documentElement;
    depthPct = Math.max(depthPct, (100 * (scrollY + innerHeight)) / scrollHeight);
    onChange();
  });
  watchExitIntent(() => {
    exitMs = Date.now();
    onChange();
  });
  onNavigate(() => {
    enteredMs = Date.now();
    exitMs = depthPct = 0;
    onChange();
  });
  listen(document, "scroll", ({ target }) => {
    if (target !== document || isMeasuring) return;
    isMeasuring = true;
    requestAnimationFrame(measure);
  });
  return {
    path: () => location.pathname,
    enteredMs: () => enteredMs,
    exitMs: () => exitMs,
    depthPct: () => depthPct,
  };
}
