/** rage_click: three clicks on the same spot within a second, where clicking often is not the way to use it. */

import { CONTROLS, hasSelection, selectorOf, targetOf } from "../base/dom";
import { listen } from "../base/guard";
import { position } from "./click";
import type { Capture } from "./capture";

const CLICKS = 3;
const WITHIN_MS = 1000;
const RADIUS_PX = 30;
const MADE_FOR_REPEATS =
  `${CONTROLS},[role=spinbutton],[role=grid]` +
  ["calendar", "picker", "carousel", "slide", "step", "quantity"].map((name) => `,[class*=${name} i]`).join("");
const STEP_LABEL = /^\W{0,2}$|crease|\b(plus|minus|more|less|next|prev|zoom)/i;

interface Spot {
  x: number;
  y: number;
  atMs: number;
}

export const captureRageClick: Capture = ({ track, page }) => {
  let spots: Spot[] = [];

  page.entered.on(() => {
    spots = [];
  });
  listen<MouseEvent>(document, "click", (event) => {
    const target = targetOf(event);
    if (!target || !event.detail || isMadeForRepeats(target) || hasSelection()) return;
    const spot = { x: event.clientX, y: event.clientY, atMs: event.timeStamp };
    spots = [...spots.filter((earlier) => isSameBurst(earlier, spot)), spot];
    if (spots.length < CLICKS) return;
    spots = [];
    track("rage_click", { selector: selectorOf(target), ...position(event) });
  });
};

function isSameBurst(earlier: Spot, spot: Spot): boolean {
  const distance = Math.hypot(earlier.x - spot.x, earlier.y - spot.y);
  return spot.atMs - earlier.atMs <= WITHIN_MS && distance <= RADIUS_PX;
}

/** Steppers, date pickers and carousels are clicked fast by contented people. */
function isMadeForRepeats(target: Element): boolean {
  if (target.closest(MADE_FOR_REPEATS)) return true;
  const button = target.closest("button,[role=button],a");
  if (!button) return false;
  return STEP_LABEL.test(button.getAttribute("aria-label") ?? button.textContent?.trim() ?? "");
}
