/** Notices that the visitor went to another page without a load. */

import { guarded, later, listen } from "../base/guard";

/** Lets a router set the title, and rewrite the address once more, before the page counts as new. */
const SETTLE_MS = 50;

/** Calls back after each change of path or query, and on the return from the back/forward cache. */
export function watchNavigation(onNavigate: () => void): void {
  let known = address();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = () => {
    if (address() === known) return;
    known = address();
    onNavigate();
  };
  const notice = guarded(() => {
    clearTimeout(timer);
    timer = later(settle, SETTLE_MS);
  });
  for (const method of ["pushState", "replaceState"] as const) {
    const original = history[method];
    history[method] = function (this: History, ...values) {
      original.apply(this, values);
      notice();
    };
  }
  listen(window, "popstate", notice);
  listen<PageTransitionEvent>(window, "pageshow", (event) => {
    if (event.persisted) onNavigate();
  });
}

function address(): string {
  return location.pathname + location.search;
}
