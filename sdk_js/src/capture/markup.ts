/** Events that the page declares: an element with data-mm-event sends it when clicked, a form when submitted. */

import { targetOf } from "../base/dom";
import { listen } from "../base/guard";
import { numberOf } from "../base/read";
import type { Product, Properties } from "../types";
import { productFields, type Capture } from "./capture";

const NUMBERS = ["price", "quantity", "value", "results"];
const CART_EVENTS = ["add_to_cart", "remove_from_cart"];

export const captureMarkup: Capture = ({ track, products }) => {
  const send = (element: HTMLElement) => {
    const event = element.dataset["mmEvent"];
    if (event) track(event, declaredProperties(event, element, products.around(element)));
  };
  listen(document, "click", (event) => {
    const element = targetOf(event)?.closest<HTMLElement>("[data-mm-event]");
    if (element && element.localName !== "form") send(element);
  });
  listen(document, "submit", (event) => {
    const form = targetOf(event);
    if (form instanceof HTMLElement) send(form);
  });
};

function declaredProperties(event: string, element: HTMLElement, product: Product | undefined): Properties {
  const properties: Properties = { ...productFields(product), ...attributes(element) };
  if (!CART_EVENTS.includes(event)) return properties;
  const quantity = numberOf(properties["quantity"]) ?? 1;
  const price = numberOf(properties["price"]);
  return { quantity, ...(price !== undefined && { value: price * quantity }), ...properties };
}

/** data-mm-order-id="A1" reads as order_id: "A1". */
function attributes(element: HTMLElement): Properties {
  const properties: Properties = {};
  for (const [key, value] of Object.entries(element.dataset)) {
    if (!/^mm[A-Z]/.test(key) || key === "mmEvent") continue;
    const name = key
      .slice(2)
      .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      .slice(1);
    properties[name === "product" ? "product_id" : name] = NUMBERS.includes(name) ? numberOf(value) : value;
  }
  return properties;
}
