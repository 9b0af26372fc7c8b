/** The elements of the page that inline banners belong to. */

import { BANNER_ATTRIBUTE } from "../base/dom";
import { later } from "../base/guard";
import { log } from "../base/log";

/** How long changes to the page are collected before it is looked through again. */
const LOOK_AGAIN_MS = 100;

/** The element that a selector names, unless a banner has it already; undefined also for what is no selector. */
export function findSlot(selector: string, isTaken: (slot: Element) => boolean): Element | undefined {
  try {
    const slot = document.querySelector(selector);
    return slot && !slot.closest(`[${BANNER_ATTRIBUTE}]`) && !isTaken(slot) ? slot : undefined;
  } catch {
    log("not a selector", selector);
    return undefined;
  }
}

/** Calls back after changes to the page, for as long as it is switched on. */
export function watchForSlots(onChange: () => void): (isWanted: boolean) => void {
  let isOn = false;
  let isWaiting = false;
  const observer = new MutationObserver(() => {
    if (isWaiting) return;
    isWaiting = true;
    later(() => {
      isWaiting = false;
      if (isOn) onChange();
    }, LOOK_AGAIN_MS);
  });
  return (isWanted) => {
    if (isWanted === isOn) return;
    isOn = isWanted;
    if (isOn) observer.observe(document.documentElement, { childList: true, subtree: true, attributes: true });
    else observer.disconnect();
  };
}
