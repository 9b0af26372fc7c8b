import assert from "node:assert/strict";
import type { Browser } from "../support/browser";
import { inBrowser } from "../support/with-browser";

/** Stands in for the part, and notes how it was asked to subscribe. */
async function asked(browser: Browser, ...calls: [optIn: boolean, options?: { ask: boolean }][]): Promise<unknown[]> {
  const subscriptions: unknown[] = [];
  let requests = 0;
  const Notification = { permission: "default", requestPermission: async () => `answer ${(requests += 1)}` };
  Object.defineProperty(globalThis, "Notification", { value: Notification, configurable: true });
  browser.parts.push = async () => ({
    subscribe: async (permission, { collector }, options) =>
      void subscriptions.push([await permission, collector, options]),
  });
  for (const [optIn, options] of calls) browser.start({ optIn }).push(options);
  await browser.pass(500);
  return subscriptions;
}

inBrowser("asks the visitor at once and leaves the rest to the part", {}, async (browser) => {
  assert.deepEqual(await asked(browser, [false]), [["answer 1", "https://collector.test", {}]]);
});

inBrowser("asks nothing where it is told to renew only", {}, async (browser) => {
  assert.deepEqual(await asked(browser, [false, { ask: false }]), [
    ["default", "https://collector.test", { ask: false }],
  ]);
});

inBrowser("does nothing without the visitor's consent", {}, async (browser) => {
  assert.deepEqual(await asked(browser, [true]), []);
});

inBrowser("does no harm where there are no notifications", {}, async (browser) => {
  Object.defineProperty(globalThis, "Notification", { value: undefined, configurable: true });
  const micromoment = browser.start();
  assert.doesNotThrow(() => micromoment.push());
});
