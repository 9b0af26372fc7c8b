import assert from "node:assert/strict";
import { banner, inside, press, reports, shown, visit } from "../support/banners";
import type { Browser } from "../support/browser";
import { FakeStream } from "../support/fakes";
import { inBrowser } from "../support/with-browser";

const MINUTE_MS = 60_000;

async function send(...banners: unknown[]): Promise<void> {
  for (const one of banners) await FakeStream.opened[0]?.send(one);
}

async function goTo(browser: Browser, path: string): Promise<void> {
  browser.window.history.pushState({}, "", path);
  await browser.pass(250);
}

function leaveThroughTheTop(browser: Browser): void {
  browser.fire("body", "pointerout", { clientY: 0, relatedTarget: null });
}

async function scrollTo(browser: Browser, depthPct: number): Promise<void> {
  const { window } = browser;
  Object.defineProperty(window.document.documentElement, "scrollHeight", { value: 1000, configurable: true });
  Object.assign(globalThis, { scrollY: 0, innerHeight: depthPct * 10 });
  window.document.dispatchEvent(new window.Event("scroll"));
  await browser.pass(250);
}

async function dismiss(browser: Browser): Promise<void> {
  inside(browser, "button").click();
  await browser.pass(4000);
}

inBrowser("comes after its delay on the page", {}, async (browser) => {
  await visit(browser, banner("m1", { display: { delay_ms: 3000 } }));
  await browser.pass(2000);
  assert.deepEqual(shown(browser), []);
  await goTo(browser, "/next");
  await browser.pass(2500);
  assert.deepEqual(shown(browser), []);
  await browser.pass(1000);
  assert.deepEqual(shown(browser), ["m1"]);
});

inBrowser("comes when the visitor makes to leave, not for having done so before", {}, async (browser) => {
  await visit(browser);
  leaveThroughTheTop(browser);
  await browser.pass(250);
  await send(banner("m1", { display: { on: "exit_intent" } }));
  assert.deepEqual(shown(browser), []);
  leaveThroughTheTop(browser);
  await browser.pass(250);
  assert.deepEqual(shown(browser), ["m1"]);
});

inBrowser("comes as far down the page as it is meant to", {}, async (browser) => {
  await visit(browser, banner("m1", { display: { on: "scroll", scroll_pct: 50 } }));
  await scrollTo(browser, 40);
  assert.deepEqual(shown(browser), []);
  await scrollTo(browser, 60);
  assert.deepEqual(shown(browser), ["m1"]);
});

inBrowser("waits for a page that it is for, and leaves with it", {}, async (browser) => {
  await visit(browser, banner("m1", { display: { pages: ["/p/*"] } }));
  assert.deepEqual(shown(browser), []);
  await goTo(browser, "/p/1");
  assert.deepEqual(shown(browser), ["m1"]);
  await goTo(browser, "/p/2");
  assert.deepEqual(shown(browser), ["m1"]);
  await goTo(browser, "/cart");
  assert.deepEqual(shown(browser), []);
  assert.deepEqual(await reports(browser), [
    ["message_shown", undefined],
    ["message_dismissed", "navigation"],
  ]);
});

inBrowser("does not hold up others while it waits", {}, async (browser) => {
  await visit(browser, banner("m1", { display: { pages: ["/p/*"] } }), banner("m2"));
  assert.deepEqual(shown(browser), ["m2"]);
});

inBrowser("is told of once the page has thrown it out", {}, async (browser) => {
  await visit(browser, banner("m1"));
  await browser.pass(250);
  browser.window.document.body.replaceChildren();
  await goTo(browser, "/next");
  assert.deepEqual((await reports(browser)).at(-1), ["message_dismissed", "navigation"]);
});

inBrowser("is shown once per page", {}, async (browser) => {
  const once = { display: { once: "page" } };
  await visit(browser, banner("m1", once), banner("m2", once), banner("m3", { rule: "other" }));
  await browser.pass(250);
  await dismiss(browser);
  assert.deepEqual(shown(browser), ["m3"]);
  await dismiss(browser);
  assert.deepEqual(shown(browser), []);
  await goTo(browser, "/next");
  assert.deepEqual(shown(browser), ["m2"]);
});

for (const [once, later] of [
  ["session", ["m3"]],
  ["visitor", []],
] as const) {
  inBrowser(`is shown once per ${once}`, {}, async (browser) => {
    const fields = { display: { once } };
    const micromoment = await visit(browser, banner("m1", fields));
    await browser.pass(250);
    await dismiss(browser);
    await send(banner("m2", fields));
    assert.deepEqual(shown(browser), []);
    assert.deepEqual((await reports(browser)).at(-1), ["message_failed", "once"]);
    browser.hide();
    await browser.pass(31 * MINUTE_MS);
    browser.hide(false);
    micromoment.track("returns");
    await FakeStream.open()[0]?.send(banner("m3", fields));
    await browser.pass(250);
    assert.deepEqual(shown(browser), later);
  });
}

inBrowser("stands at the element that it belongs to", { body: "<main><h1>Hello</h1></main>" }, async (browser) => {
  await visit(browser, banner("m1", { form: "inline", selector: "main h1", place: "after" }), banner("m2"));
  assert.equal(browser.find("h1 + div").dataset["micromomentBanner"], "m1");
  assert.deepEqual(shown(browser), ["m1", "m2"]);
});

inBrowser("waits for its element", { body: "<main></main>" }, async (browser) => {
  await visit(browser, banner("m1", { form: "inline", selector: "#late" }));
  await browser.pass(2000);
  browser.find("main").innerHTML = "<p id=late></p>";
  await browser.pass(500);
  assert.deepEqual(shown(browser), ["m1"]);
});

for (const selector of ["#nowhere", "!"]) {
  inBrowser(`says so when its element ${selector} does not come`, {}, async (browser) => {
    await visit(browser, banner("m1", { form: "inline", selector }));
    await browser.pass(9000);
    assert.deepEqual(await reports(browser), []);
    await browser.pass(2000);
    assert.deepEqual(await reports(browser), [["message_failed", "no_slot"]]);
  });
}

inBrowser("does not share its element", { body: "<main></main>" }, async (browser) => {
  const fields = { form: "inline", selector: "main" };
  await visit(browser, banner("m1", fields), banner("m2", fields));
  assert.deepEqual(shown(browser), ["m1"]);
  inside(browser, "button").click();
  await browser.pass(250);
  assert.deepEqual(shown(browser), ["m2"]);
});

inBrowser("goes by itself after a while, unless somebody points at it", {}, async (browser) => {
  await visit(browser, banner("m1", { form: "toast", display: { stay_ms: 5000 } }));
  const point = (type: string) => inside(browser, ".box").dispatchEvent(new browser.window.Event(type));
  await browser.pass(3000);
  point("pointerenter");
  await browser.pass(20_000);
  assert.deepEqual(shown(browser), ["m1"]);
  point("pointerleave");
  await browser.pass(3000);
  assert.deepEqual(shown(browser), []);
  assert.deepEqual((await reports(browser)).at(-1), ["message_dismissed", "timeout"]);
});

inBrowser("leaves when the visitor wants to hear nothing more", {}, async (browser) => {
  const micromoment = await visit(browser, banner("m1"), banner("m2"));
  await browser.pass(250);
  micromoment.consent({ marketing: false });
  await browser.pass(5000);
  assert.deepEqual(shown(browser), []);
  assert.deepEqual(await reports(browser), [
    ["message_shown", undefined],
    ["message_dismissed", "no_consent"],
    ["message_failed", "no_consent"],
  ]);
});

inBrowser("comes nevertheless when it is about what the visitor does anyway", {}, async (browser) => {
  const micromoment = await visit(browser);
  micromoment.consent({ marketing: false });
  await send(banner("m1"), banner("m2", { class: "transactional" }));
  assert.deepEqual(shown(browser), ["m2"]);
});

inBrowser("gives the keyboard back to where it was", { body: "<input>" }, async (browser) => {
  browser.find("input").focus();
  await visit(browser, banner("m1", { form: "bar" }));
  inside(browser, "button").focus();
  inside(browser, "button").click();
  assert.equal(browser.window.document.activeElement, browser.find("input"));
});

const ESCAPES: [what: string, form: string, on: string, isGone: boolean][] = [
  ["on the page", "bar", "button", true],
  ["while writing", "bar", "input", false],
  ["beside an inline banner", "inline", "button", false],
];

for (const [what, form, on, isGone] of ESCAPES) {
  inBrowser(`Escape ${what} ${isGone ? "dismisses" : "does not dismiss"} it`, { body: "<input><button>" }, async (browser) => {
    await visit(browser, banner("m1", { form, selector: "body" }));
    const key = new browser.window.KeyboardEvent("keydown", { key: "Escape", bubbles: true });
    browser.find(on).dispatchEvent(key);
    assert.deepEqual(shown(browser), isGone ? [] : ["m1"]);
  });
}

inBrowser("Escape inside dismisses an inline one too", { body: "<main></main>" }, async (browser) => {
  await visit(browser, banner("m1", { form: "inline", selector: "main" }));
  press(browser, "Escape");
  assert.deepEqual(shown(browser), []);
});
