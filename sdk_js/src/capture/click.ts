/** click: where on the page, for heat maps. */

import { selectorOf, targetOf } from "../base/dom";
import { listen } from "../base/guard";
import type { Properties } from "../types";
import type { Capture } from "./capture";

export const captureClick: Capture = ({ track, products }) => {
  listen<MouseEvent>(document, "click", (event) => {
    const target = targetOf(event);
    if (!target) return;
    const product_id = products.around(target)?.product_id;
    track("click", { selector: selectorOf(target), ...position(event), product_id });
  });
};

/** Where in the whole document, in percent; nothing for a click that the keyboard made. */
export function position(event: MouseEvent): Properties {
  if (!event.detail) return {};
  const { scrollWidth, scrollHeight } = document.documentElement;
  return { x_pct: percent(event.pageX, scrollWidth), y_pct: percent(event.pageY, scrollHeight) };
}

function percent(offset: number, length: number): number {
  return Math.round((offset / Math.max(length, 1)) * 1000) / 10;
}
