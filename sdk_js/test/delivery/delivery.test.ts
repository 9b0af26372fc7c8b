import assert from "node:assert/strict";
import { mock } from "node:test";
import type { Browser } from "../support/browser";
import { inBrowser } from "../support/with-browser";

const failing =
  (status: number, headers = {}) =>
  () => ({ status, body: {}, headers });

async function settled(browser: Browser): Promise<void> {
  await browser.pass(1000);
  browser.requests.length = 0;
}

inBrowser("sends what one action causes in one request, at once", {}, async (browser) => {
  const micromoment = browser.start();
  await settled(browser);
  micromoment.track("add_to_cart");
  micromoment.track("view_cart");
  await browser.pass(30);
  assert.deepEqual(
    browser.requests.map((request) => request.batch.length),
    [2],
  );
});

inBrowser("holds frequent events back for a second, unless twenty wait", { body: "<p>x</p>" }, async (browser) => {
  browser.start();
  await settled(browser);
  browser.fire("p", "click");
  await browser.pass(750);
  assert.equal(browser.requests.length, 0);
  await browser.pass(250);
  assert.equal(browser.requests.length, 1);
  for (let count = 0; count < 20; count++) browser.fire("p", "click");
  await browser.pass(250);
  assert.equal(browser.requests.length, 2);
});

inBrowser("tells the collector who asks, and about the browser", {}, async (browser) => {
  browser.start();
  await browser.pass(250);
  const [request] = browser.requests;
  assert.equal(request?.writeKey, "KEY");
  assert.equal(request?.sentAt.endsWith("Z"), true);
  assert.deepEqual(Object.keys(request?.context ?? {}).sort(), ["library", "locale", "screen", "timezone"]);
});

inBrowser("sends the very same message again after a failure", {}, async (browser) => {
  const micromoment = browser.start();
  await settled(browser);
  browser.answer = failing(503);
  micromoment.track("order");
  const stored = JSON.stringify(browser.stored());
  await browser.pass(250);
  browser.answer = failing(200);
  await browser.pass(31_000);
  const sent = browser.requests.flatMap(({ batch }) => batch).filter(({ event }) => event === "order");
  assert.deepEqual(
    sent.map(({ timestamp }) => timestamp),
    ["2026-11-22T10:00:01.000Z"],
  );
  assert.ok(stored.includes(sent[0]?.messageId ?? "none"));
  assert.ok(!JSON.stringify(browser.stored()).includes("outbox"));
});

inBrowser("retries when the network breaks, and again when it comes back", {}, async (browser) => {
  const micromoment = browser.start();
  await settled(browser);
  browser.answer = () => {
    throw new TypeError("network");
  };
  micromoment.track("order");
  await browser.pass(5000);
  browser.answer = failing(200);
  browser.fireWindow("online");
  await browser.pass(250);
  assert.deepEqual(browser.messages("order").length, 1);
});

inBrowser("comes back no sooner than the collector asks", {}, async (browser) => {
  const micromoment = browser.start();
  await settled(browser);
  browser.answer = failing(429, { "Retry-After": "20" });
  micromoment.track("order");
  await browser.pass(250);
  browser.answer = failing(200);
  micromoment.track("another");
  await browser.pass(19_000);
  assert.equal(browser.requests.length, 0);
  await browser.pass(2500);
  const [request] = browser.requests;
  assert.deepEqual(
    request?.batch.map(({ event }) => event).filter((name) => name !== "dwell"),
    ["order", "another"],
  );
});

for (const status of [400, 401, 413]) {
  inBrowser(`does not repeat what the collector refuses with ${status}`, {}, async (browser) => {
    const micromoment = browser.start();
    await settled(browser);
    browser.answer = failing(status);
    micromoment.track("refused");
    await browser.pass(250);
    browser.answer = failing(200);
    micromoment.track("accepted");
    await browser.pass(60_000);
    assert.deepEqual(browser.messages("refused"), []);
    assert.equal(browser.messages("accepted").length, 1);
  });
}

inBrowser("beacons what waits when the page is hidden, once", { body: "<p>x</p>" }, async (browser) => {
  browser.start();
  await settled(browser);
  browser.fire("p", "click");
  browser.hide();
  browser.fireWindow("pagehide");
  assert.deepEqual(
    browser.beacons.flatMap(({ batch }) => batch.map(({ event }) => event)),
    ["click"],
  );
});

inBrowser("splits beacons so that each is small enough", {}, async (browser) => {
  const micromoment = browser.start();
  await settled(browser);
  const large = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`k${index}`, "x".repeat(1000)]));
  for (let count = 0; count < 5; count++) micromoment.track("large", large);
  browser.hide();
  assert.deepEqual(
    browser.beacons.map(({ batch }) => batch.length),
    [2, 2, 1],
  );
});

inBrowser("keeps what was beaconed until a later page has it confirmed", { body: "<p>x</p>" }, async (browser) => {
  browser.start();
  await settled(browser);
  browser.fire("p", "click");
  browser.fireWindow("pagehide");
  const beaconed = browser.beacons[0]?.batch[0]?.messageId;
  browser.start();
  await browser.pass(1000);
  const confirmed = browser.requests.flatMap(({ batch }) => batch.map(({ messageId }) => messageId));
  assert.ok(beaconed && confirmed.includes(beaconed));
});

inBrowser("drops a message that no browser would carry", {}, async (browser) => {
  const micromoment = browser.start();
  await settled(browser);
  const warn = console.warn;
  console.warn = () => undefined;
  micromoment.track("huge", { list: Array(50).fill("x".repeat(1024)) });
  console.warn = warn;
  micromoment.track("next");
  await browser.pass(1000);
  assert.deepEqual(
    browser.requests.flatMap(({ batch }) => batch.map(({ event }) => event)),
    ["next"],
  );
});

inBrowser("tells in debug mode what the collector did not keep, or not as it was sent", {}, async (browser) => {
  const info = mock.method(console, "info", () => undefined);
  const micromoment = browser.start();
  await settled(browser);
  browser.answer = () => ({
    status: 200,
    body: {
      dropped: [{ messageId: browser.messages("quiz_done")[0]?.messageId ?? "", reason: "reserved", detail: "another name" }],
      warnings: [{ messageId: "of another page", reason: "too_old" }],
    },
  });
  micromoment.track("quiz_done", { score: 7 });
  await browser.pass(1000);
  assert.equal(info.mock.callCount(), 0);
  micromoment.debug(true);
  micromoment.track("quiz_done", { score: 8 });
  await browser.pass(1000);
  micromoment.debug(false);
  const told = info.mock.calls.map(({ arguments: said }) => said.map(String)).filter((said) => /^not kept/.test(said[1] ?? ""));
  info.mock.restore();
  assert.deepEqual(told.map((said) => said.slice(0, 3)), [
    ["[micromoment]", "not kept: reserved", "another name"],
    ["[micromoment]", "not kept as it was sent: too_old", "undefined"],
  ]);
});

const BOUNDARIES = [63, 99, 100, 127, 128, 255, 256, 499, 511, 512, 999, 1000, 1023, 1024, 2047, 2048];
const long = (length: number) => "x".repeat(length) + "\u{1f600}".repeat(200);

for (const length of BOUNDARIES) {
  const query = new URLSearchParams({ q: long(length), utm_source: long(length), utm_campaign: long(length) });
  const page = {
    url: `https://shop.test/search?${query.toString()}`,
    body: `<main data-mm-product="${long(length)}" data-mm-name="${long(length)}"><form id="${long(length)}">
      <input name="${long(length)}"></form><p>x</p></main>`,
    head: `<title>${long(length)}</title>`,
  };
  inBrowser(`sends whole characters, whatever is cut after ${length}`, page, async (browser) => {
    browser.window.document.title = long(length);
    browser.window.document.body.dataset["mmPageType"] = long(length);
    const micromoment = browser.start();
    await browser.pass(1000);
    browser.fire("input", "focusin");
    browser.fire("p", "click");
    micromoment.track(long(length), { note: long(length), list: [{ name: long(length) }] });
    await browser.pass(2000);
    const sent = JSON.stringify([...browser.requests, ...browser.beacons]);
    assert.ok(sent.includes("x".repeat(50)));
    assert.doesNotMatch(sent, /\\ud[89a-f]/);
  });
}
