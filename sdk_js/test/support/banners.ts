/** A visitor who is sent banners, and what they see of them. */

import type { Browser } from "./browser";

/** A banner as the collector sends it. */
export const banner = (id: string, fields = {}) => ({
  message_id: id,
  rule: "r",
  variant: "",
  form: "slide_in",
  title: "Hello",
  ...fields,
});

/** Starts the SDK and has the collector send banners with its first reply. */
export async function visit(browser: Browser, ...banners: unknown[]) {
  browser.answer = () => ({ status: 200, body: { token: "visitor-token", messages: banners } });
  const micromoment = browser.start();
  await browser.pass(500);
  browser.answer = () => ({ status: 200, body: {} });
  return micromoment;
}

/** The banners on the page. */
export const shown = (browser: Browser) =>
  [...browser.window.document.querySelectorAll<HTMLElement>("[data-micromoment-banner]")].map(
    (host) => host.dataset["micromomentBanner"],
  );

/** What is in the banner on the page. */
export function inside(browser: Browser, selector: string): HTMLElement {
  const found = browser.find("[data-micromoment-banner]").shadowRoot?.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`the banner has no ${selector}`);
  return found;
}

/** What the collector was told of banners: each event with its reason. */
export async function reports(browser: Browser) {
  await browser.pass(500);
  return browser
    .messages()
    .flatMap(({ event, properties }) => (event?.startsWith("message_") ? [[event, properties["reason"]]] : []));
}

/** Presses a key on the banner's first button; whether the page may still act on it. */
export function press(browser: Browser, key: string, fields = {}): boolean {
  const event = new browser.window.KeyboardEvent("keydown", {
    key,
    bubbles: true,
    composed: true,
    cancelable: true,
    ...fields,
  });
  return inside(browser, "button").dispatchEvent(event);
}
