import assert from "node:assert/strict";
import type { Browser } from "./support/browser";
import { FakeStream } from "./support/fakes";
import { inBrowser } from "./support/with-browser";

async function visit(browser: Browser, token?: string) {
  browser.answer = () => ({ status: 200, body: token ? { token } : {} });
  const micromoment = browser.start();
  await browser.pass(500);
  return micromoment;
}

const tokens = () => FakeStream.open().map(({ authorization }) => authorization);

inBrowser("opens with the token of the first reply, once", {}, async (browser) => {
  const micromoment = await visit(browser, "a.b");
  micromoment.track("more");
  await browser.pass(500);
  assert.deepEqual(tokens(), ["Bearer a.b"]);
  assert.deepEqual(FakeStream.opened.map(({ url }) => url), ["https://collector.test/v1/stream"]);
});

inBrowser("stays closed without a token", {}, async (browser) => {
  await visit(browser);
  assert.deepEqual(tokens(), []);
});

inBrowser("is open only while the page is visible", {}, async (browser) => {
  await visit(browser, "t");
  browser.hide();
  assert.deepEqual(tokens(), []);
  browser.hide(false);
  assert.equal(tokens().length, 1);
  browser.fireWindow("pagehide");
  assert.deepEqual(tokens(), []);
  browser.fireWindow("pageshow");
  assert.equal(tokens().length, 1);
});

inBrowser("comes back soon when it breaks, and with the latest token", {}, async (browser) => {
  const micromoment = await visit(browser, "first");
  browser.answer = () => ({ status: 200, body: { token: "second" } });
  micromoment.track("more");
  await browser.pass(500);
  assert.deepEqual(tokens(), ["Bearer first"]);
  FakeStream.opened[0]?.close();
  await browser.pass(1500);
  assert.deepEqual(tokens(), []);
  await browser.pass(1000);
  assert.deepEqual(tokens(), ["Bearer second"]);
});

inBrowser("comes back later each time that it is refused", {}, async (browser) => {
  FakeStream.status = 401;
  await visit(browser, "t");
  await browser.pass(120_000);
  const refused = FakeStream.opened.length;
  assert.ok(refused > 3 && refused < 60, `${refused} times in two minutes`);
  FakeStream.status = 200;
  await browser.pass(60_000);
  assert.equal(tokens().length, 1);
});

inBrowser("survives lines that carry no banner", {}, async (browser) => {
  await visit(browser, "t");
  const [line] = FakeStream.opened;
  await line?.write(": open\r\nretry: 2000\r\n\r\n", ": heartbeat\r\n\r\n");
  await line?.write("event: banner\r\ndata: {oops\r\n\r\n", "event: other\r\ndata: {}\r\n\r\n", "event: banner\r\n\r\n");
  await line?.send({ message_id: "m1", title: "Hello" });
  assert.ok(browser.find("[data-micromoment-banner=m1]"));
});

inBrowser("puts together what comes in pieces, and lines that are one text", {}, async (browser) => {
  await visit(browser, "t");
  const block = 'id: m1\r\nevent: banner\r\ndata: {"message_id":"m1",\r\ndata: "title":"Größe"}\r\n\r\n';
  await FakeStream.opened[0]?.write(": open\n\n", ...block);
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
    assert.equal(tokens().length, 1);
    act(micromoment);
    assert.deepEqual(tokens(), []);
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
  assert.deepEqual(tokens(), []);
  assert.throws(() => browser.find("[data-micromoment-banner]"));
});
