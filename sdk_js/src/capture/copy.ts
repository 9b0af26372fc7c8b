/** copy: what part of the page was worth taking along; its length, never its text. */

import { selectorOf, targetOf } from "../base/dom";
import { listen } from "../base/guard";
import type { Capture } from "./capture";

export const captureCopy: Capture = ({ track, products }) => {
  listen(document, "copy", (event) => {
    const target = targetOf(event);
    if (!target) return;
    track("copy", {
      selector: selectorOf(target),
      length: getSelection()?.toString().length,
      product_id: products.around(target)?.product_id,
    });
  });
};
