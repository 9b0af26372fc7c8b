/** Notices that the mouse leaves through the top, where the address bar and the close button are. */

import { listen } from "../base/guard";

/** A fast mouse is last seen a little below the edge. */
const EDGE_PX = 10;

/** Calls back each time. */
export function watchExitIntent(onExit: () => void): void {
  listen<PointerEvent>(document, "pointerout", (event) => {
    const hasLeft = !event.relatedTarget && event.pointerType !== "touch" && event.clientY <= EDGE_PX;
    if (hasLeft) onExit();
  });
}
