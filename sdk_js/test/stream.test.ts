import assert from "node:assert/strict";
import type { Browser } from "./support/browser";
import { FakeEventSource } from "./support/fakes";
import { inBrowser } from "./support/with-browser";

async function visit(browser: Browser, token?: string) {
  browser.answer = () => ({ status: 200, body: token ? { token } : {} });
  const micromoment = browser.start();
  await browser.pass(500);
  return micromoment;
}

const urls = () => FakeEventSource.open().map(({ url }) => url);

inBrowser("opens with the token of the first reply, once", {}, async (browser) => {
  const micromoment = await visit(browser, "a b");
  micromoment.track("more");
  await browser.pass(500);
  assert.deepEqual(urls(), ["https://collector.test/v1/stream?token=a%20b"]);
});

inBrowser("stays closed without a token", {}, async (browser) => {
  await visit(browser);
  assert.deepEqual(urls(), []);
});

inBrowser("is open only while the page is visible", {}, async (browser) => {
  await visit(browser, "t");
  browser.hide();
  assert.deepEqual(urls(), []);
  browser.hide(false);
  assert.equal(urls().length, 1);
  browser.fireWindow("pagehide");
  assert.deepEqual(urls(), []);
  browser.fireWindow("pageshow");
  assert.equal(urls().length, 1);
});

inBrowser("comes back by itself when it is refused", {}, async (browser) => {
  await visit(browser, "t");
  FakeEventSource.opened[0]?.refuse();
  assert.deepEqual(urls(), []);
  await browser.pass(5000);
  assert.equal(urls().length, 1);
});

inBrowser("survives a line that carries no JSON", {}, async (browser) => {
  await visit(browser, "t");
  FakeEventSource.opened[0]?.dispatchEvent(new MessageEvent("banner", { data: "{oops" }));
  FakeEventSource.opened[0]?.send({ message_id: "m1", title: "Hello" });
  assert.ok(browser.find("[data-micromoment-banner=m1]"));
});

const CHANGES: [what: string, act: (micromoment: Awaited<ReturnType<typeof visit>>) => void][] = [
  ["resets", (micromoment) => micromoment.reset()],
  ["refuses", (micromoment) => micromoment.consent({ analytics: false })],
  ["becomes somebody else", (micromoment) => micromoment.identify("bob")],
];

for (const [what, act] of CHANGES) {
  inBrowser(`closes the line of a visitor who ${what}`, {}, async (browser) => {
    const micromoment = await visit(browser, "t");
    micromoment.identify("ada");
    await browser.pass(500);
    assert.equal(urls().length, 1);
    act(micromoment);
    assert.deepEqual(urls(), []);
  });
}

inBrowser("gives nobody the answer to another visitor's messages", {}, async (browser) => {
  const micromoment = await visit(browser);
  browser.answer = () => ({
    status: 200,
    body: { token: "old", messages: [{ message_id: "m1", title: "Hello Ada" }] },
  });
  micromoment.track("by the visitor before");
  micromoment.reset();
  await browser.pass(500);
  assert.deepEqual(urls(), []);
  assert.throws(() => browser.find("[data-micromoment-banner]"));
});
