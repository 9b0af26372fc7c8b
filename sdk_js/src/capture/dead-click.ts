/** dead_click: a click on what looks interactive, and then nothing happens. */

import { CONTROLS, hasSelection, isWindowEvent, selectorOf, targetOf } from "../base/dom";
import { guarded, later, listen } from "../base/guard";
import type { Properties } from "../types";
import { position } from "./click";
import type { Capture } from "./capture";

const NO_REACTION_MS = 2000;
const MAX_PENDING = 5;
const INTERACTIVE = "a,button,summary,[role=button],[role=tab],[onclick]";
/** These answer on their own, outside the document or in ways that leave no trace in it. */
const ANSWERS_ELSEWHERE = `${CONTROLS},[download],[target=_blank]`;
/** What a page does when it reacts, besides changing its elements. */
const REACTIONS = "scroll hashchange pagehide visibilitychange input change copy toggle play pause submit";

export const captureDeadClick: Capture = ({ track, page }) => {
  const timers = new Set<ReturnType<typeof setTimeout>>();

  const react = guarded(() => {
    timers.forEach(clearTimeout);
    timers.clear();
    observer.disconnect();
  });
  const observer = new MutationObserver(react);

  const expectReaction = (properties: Properties) => {
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    const timer = later(() => {
      timers.delete(timer);
      if (!timers.size) observer.disconnect();
      if (!hasSelection()) track("dead_click", properties);
    }, NO_REACTION_MS);
    timers.add(timer);
  };

  listen<MouseEvent>(document, "click", (event) => {
    const target = targetOf(event);
    if (!target || timers.size >= MAX_PENDING || !looksInteractive(target)) return;
    expectReaction({ selector: selectorOf(target), ...position(event) });
  });
  listen(window, `${REACTIONS} blur`, (event) => {
    const isElements = event.type === "blur" && !isWindowEvent(event);
    const isToNowhere = event.type === "hashchange" && !location.hash;
    if (!isElements && !isToNowhere) react();
  });
  page.left.on(react);
};

function looksInteractive(target: Element): boolean {
  if (target.closest(ANSWERS_ELSEWHERE)) return false;
  const link = target.closest("a[href]");
  if (link) return /^(#|javascript:|$)/.test(link.getAttribute("href") ?? "");
  return !!target.closest(INTERACTIVE) || getComputedStyle(target).cursor === "pointer";
}
