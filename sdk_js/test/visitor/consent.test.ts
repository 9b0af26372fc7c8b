import assert from "node:assert/strict";
import type { Browser } from "../support/browser";
import { inBrowser } from "../support/with-browser";

function object(browser: Browser, signals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(signals)) {
    Object.defineProperty(browser.window.navigator, name, { value, configurable: true });
  }
}

async function visit(browser: Browser, settings = {}) {
  const micromoment = browser.start(settings);
  micromoment.track("custom");
  await browser.pass(6000);
  return micromoment;
}

inBrowser("captures by default", {}, async (browser) => {
  await visit(browser);
  assert.deepEqual(browser.names(), ["session_start", "page", "custom", "dwell"]);
});

const REFUSALS: [what: string, signals: Record<string, unknown>, settings: { optIn?: boolean }][] = [
  ["Global Privacy Control", { globalPrivacyControl: true }, {}],
  ["Do Not Track", { doNotTrack: "1" }, {}],
  ["a site that asks first", {}, { optIn: true }],
];

for (const [what, signals, settings] of REFUSALS) {
  inBrowser(`captures and stores nothing under ${what}`, {}, async (browser) => {
    object(browser, signals);
    await visit(browser, settings);
    browser.hide();
    assert.deepEqual([browser.requests, browser.beacons, browser.stored()], [[], [], {}]);
    assert.equal(browser.window.document.cookie, "");
  });

  inBrowser(`begins with a page view once the visitor agrees, under ${what}`, {}, async (browser) => {
    object(browser, signals);
    const micromoment = await visit(browser, settings);
    micromoment.consent({ analytics: true });
    await browser.pass(500);
    assert.deepEqual(browser.names(), ["session_start", "page", "consent"]);
    assert.deepEqual(browser.requests[0]?.context.consent?.analytics, true);
  });
}

inBrowser("remembers the answer on the next page", {}, async (browser) => {
  browser.start({ optIn: true }).consent({ analytics: true });
  await browser.pass(500);
  browser.requests.length = 0;
  browser.start({ optIn: true });
  await browser.pass(500);
  assert.deepEqual(browser.names(), ["page"]);
});

inBrowser("tells of a refusal, then forgets the visitor and keeps only the answer", {}, async (browser) => {
  const micromoment = await visit(browser);
  browser.requests.length = 0;
  micromoment.track("unsent");
  micromoment.consent({ analytics: false, marketing: false });
  assert.deepEqual(Object.keys(browser.stored()), ["mm_consent"]);
  micromoment.track("late");
  await browser.pass(15_000);
  assert.deepEqual(browser.names(), ["consent"]);
  assert.deepEqual(browser.messages("consent")[0]?.properties, { analytics: false, marketing: false });
  assert.deepEqual(Object.keys(browser.stored()), ["mm_consent"]);
});

for (const answer of [false, 0, "denied", null]) {
  inBrowser(`takes ${JSON.stringify(answer)} for a refusal`, {}, async (browser) => {
    const micromoment = browser.start();
    micromoment.consent({ analytics: answer as boolean });
    micromoment.track("late");
    await browser.pass(1000);
    assert.deepEqual(browser.names(), ["consent"]);
  });
}

inBrowser("does not unsay an answer by leaving it out", {}, async (browser) => {
  const micromoment = browser.start({ optIn: true });
  micromoment.consent({ analytics: true });
  micromoment.consent({ analytics: undefined, marketing: false });
  await browser.pass(500);
  assert.deepEqual(browser.requests[0]?.context.consent, { analytics: true, marketing: false });
});

inBrowser("merges answers that come one after the other", {}, async (browser) => {
  const micromoment = browser.start();
  micromoment.consent({ marketing: true, channels: { email: true } });
  micromoment.consent({ channels: { sms: false } });
  await browser.pass(500);
  assert.deepEqual(browser.requests[0]?.context.consent, { marketing: true, channels: { email: true, sms: false } });
});

inBrowser("is somebody new after refusing and agreeing again", {}, async (browser) => {
  const micromoment = await visit(browser);
  const before = browser.messages("custom")[0]?.anonymousId;
  micromoment.consent({ analytics: false });
  await browser.pass(1000);
  micromoment.consent({ analytics: true });
  micromoment.track("again");
  await browser.pass(1000);
  const [after] = browser.messages("again");
  assert.ok(after && after.anonymousId !== before);
  assert.ok(browser.stored()["mm_anonymous_id"]);
});

for (const word of ["granted", " Yes ", "true", 1, "opted_in"]) {
  inBrowser(`takes ${JSON.stringify(word)} for a yes`, {}, async (browser) => {
    const micromoment = browser.start({ optIn: true });
    micromoment.consent({ analytics: word } as never);
    micromoment.track("agreed");
    await browser.pass(500);
    assert.ok(browser.names().includes("agreed"));
  });
}

for (const word of ["denied", "no", "", 0, "perhaps"]) {
  inBrowser(`takes ${JSON.stringify(word)} for no yes`, {}, async (browser) => {
    const micromoment = browser.start();
    micromoment.consent({ analytics: word } as never);
    micromoment.track("late");
    await browser.pass(500);
    assert.ok(!browser.names().includes("late"));
  });
}
