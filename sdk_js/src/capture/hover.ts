/** hover: the pointer rests on one product; told while it still rests there. */

import { isWindowEvent, targetOf } from "../base/dom";
import { later, listen } from "../base/guard";
import type { Product } from "../types";
import { productFields, type Capture } from "./capture";

const DURATIONS_MS = [1000, 3000, 5000, 10_000];

export const captureHover: Capture = ({ track, page, products }) => {
  let current: Product | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stop = () => {
    clearTimeout(timer);
    current = undefined;
  };
  const wait = (element: Element, step: number) => {
    const duration = DURATIONS_MS[step];
    if (duration === undefined) return;
    const report = () => {
      if (!element.isConnected) return stop();
      track("hover", { ...productFields(current), duration_ms: duration });
      wait(element, step + 1);
    };
    timer = later(report, duration - (DURATIONS_MS[step - 1] ?? 0));
  };

  listen<PointerEvent>(document, "pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const target = targetOf(event);
    const product = target && products.around(target);
    if (product && product.product_id === current?.product_id) return;
    stop();
    current = product;
    if (target && product) wait(target, 0);
  });
  listen<PointerEvent>(document, "pointerout", (event) => {
    if (!event.relatedTarget) stop();
  });
  listen(window, "blur", (event) => {
    if (isWindowEvent(event)) stop();
  });
  listen(document, "visibilitychange", stop);
  page.left.on(stop);
};
