/** A bar, a slide-in, a toast or an inline banner: it stands in or beside the page and does not take the keyboard. */

import { guarded, later } from "../base/guard";
import type { Banner } from "./banner";
import type { Frame } from "./frame";

/** How long a banner that would have gone stays after the visitor was busy with it. */
const GRACE_MS = 2000;

/** Opens the panel; one that covers the page is announced, and goes when it has stayed long enough. */
export function openPanel({ root, box, content, dismiss }: Frame, { form, stayMs }: Banner): void {
  if (form !== "inline") box.setAttribute("aria-live", "polite");
  // Screen readers announce what enters a live region, so the region comes first.
  root.append(box);
  box.append(content);
  if (stayMs < Infinity) leaveAfter(box, stayMs, () => dismiss("timeout"));
}

/** Calls back after a while in which nobody pointed at the element or had the keyboard in it. */
function leaveAfter(box: HTMLElement, stayMs: number, leave: () => void): void {
  let timer = later(leave, stayMs);
  const busy = new Set<string>();
  const watch = (begin: string, end: string) => {
    const on = (type: string, work: () => void) => box.addEventListener(type, guarded(work));
    on(begin, () => {
      busy.add(begin);
      clearTimeout(timer);
    });
    on(end, () => {
      busy.delete(begin);
      clearTimeout(timer);
      if (!busy.size) timer = later(leave, GRACE_MS);
    });
  };
  watch("pointerenter", "pointerleave");
  watch("focusin", "focusout");
}
