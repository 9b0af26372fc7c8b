/** A bar or a slide-in: it stands beside the page and does not take the keyboard. */

import type { Frame } from "./frame";

export function openPanel({ root, box, content }: Frame): void {
  box.setAttribute("aria-live", "polite");
  // Screen readers announce what enters a live region, so the region comes first.
  root.append(box);
  box.append(content);
}
