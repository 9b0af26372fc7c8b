/** exit_intent: the visitor is about to leave the page; told once per page. */

import { watchExitIntent } from "../page/exit-intent";
import type { Capture } from "./capture";

export const captureExit: Capture = ({ track, page }) => {
  watchExitIntent(() => {
    if (page.first("exit_intent")) track("exit_intent");
  });
};
