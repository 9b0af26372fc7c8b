/** The moment from which a page can be read and has a visitor. */

import { guarded } from "./base/guard";

/** Calls back once the document is parsed, and no longer only prepared in the background. */
export function whenReady(work: () => void): void {
  const once = { once: true };
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener(
      "prerenderingchange",
      guarded(() => whenReady(work)),
      once,
    );
  } else if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", guarded(work), once);
  } else {
    work();
  }
}
