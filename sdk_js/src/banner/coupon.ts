/** A coupon's code, and the button that copies it. */

import { guarded } from "../base/guard";
import type { Banner } from "./banner";
import { button, element } from "./element";

/** Makes the code with its button; says aloud once it is copied. */
export function createCoupon({ coupon, labels }: Banner, onCopy: () => void): HTMLElement {
  const box = element("div", "coupon");
  const code = element("span", "code", coupon);
  const copy = button("copy", labels.copy);
  const status = element("span", "unseen");
  status.setAttribute("role", "status");
  const confirm = () => {
    copy.textContent = status.textContent = labels.copied;
  };
  const take = () => {
    getSelection()?.selectAllChildren(code);
    // Where it fails, the code is selected already, so the visitor can copy it by hand.
    void navigator.clipboard?.writeText(coupon).then(confirm, () => undefined);
    onCopy();
  };
  copy.addEventListener("click", guarded(take));
  box.append(code, copy, status);
  return box;
}
