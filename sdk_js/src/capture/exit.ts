/** exit_intent: the mouse leaves through the top, where the address bar and the close button are. */

import { listen } from "../base/guard";
import type { Capture } from "./capture";

/** A fast mouse is last seen a little below the edge. */
const EDGE_PX = 10;

export const captureExit: Capture = ({ track, page }) => {
  listen<PointerEvent>(document, "pointerout", (event) => {
    const hasLeft = !event.relatedTarget && event.pointerType !== "touch" && event.clientY <= EDGE_PX;
    if (hasLeft && page.first("exit_intent")) track("exit_intent");
  });
};
