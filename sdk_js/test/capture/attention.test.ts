import assert from "node:assert/strict";
import type { Browser } from "../support/browser";
import { inBrowser, jsonLd, SHOE } from "../support/with-browser";

const PRODUCTS = `
  <div id="a" data-mm-product="A" data-mm-price="20" data-mm-category="Shoes"><i id="a1">x</i><i id="a2">y</i></div>
  <div id="b" data-mm-product="B"></div><p>z</p>`;

const durations = (browser: Browser, name: string) =>
  browser.messages(name).map(({ properties }) => properties["duration_ms"]);

inBrowser(
  "hover: tells at 1, 3, 5 and 10 s, while the pointer still rests there",
  { body: PRODUCTS },
  async (browser) => {
    browser.start();
    browser.fire("#a1", "pointerover", { pointerType: "mouse" });
    await browser.pass(3500);
    assert.deepEqual(durations(browser, "hover"), [1000, 3000]);
    await browser.pass(20_000);
    assert.deepEqual(durations(browser, "hover"), [1000, 3000, 5000, 10_000]);
    const [hover] = browser.messages("hover");
    assert.deepEqual(hover?.properties, { product_id: "A", price: 20, category: "Shoes", duration_ms: 1000 });
  },
);

inBrowser("hover: goes on while the pointer moves within one product", { body: PRODUCTS }, async (browser) => {
  browser.start();
  for (const part of ["#a1", "#a2", "#a1"]) {
    browser.fire(part, "pointerover", { pointerType: "mouse" });
    await browser.pass(500);
  }
  assert.deepEqual(durations(browser, "hover"), [1000]);
});

const INTERRUPTIONS: [what: string, act: (browser: Browser) => void][] = [
  ["moves to another product", (browser) => browser.fire("#b", "pointerover", { pointerType: "mouse" })],
  ["moves off the product", (browser) => browser.fire("p", "pointerover", { pointerType: "mouse" })],
  ["leaves the window", (browser) => browser.fire("#a1", "pointerout", { pointerType: "mouse", clientY: 300 })],
  ["goes to another window", (browser) => browser.fireWindow("blur")],
  ["hides the page", (browser) => browser.hide()],
  ["goes to another page", (browser) => browser.window.history.pushState({}, "", "/next")],
  ["sees the product taken away", (browser) => browser.find("#a").remove()],
];

for (const [what, act] of INTERRUPTIONS) {
  inBrowser(`hover: ends when the visitor ${what}`, { body: PRODUCTS }, async (browser) => {
    browser.start();
    browser.fire("#a1", "pointerover", { pointerType: "mouse" });
    await browser.pass(750);
    act(browser);
    await browser.pass(5000);
    assert.deepEqual(
      browser.messages("hover").filter(({ properties }) => properties["product_id"] === "A"),
      [],
    );
  });
}

inBrowser("hover: is not for fingers", { body: PRODUCTS }, async (browser) => {
  browser.start();
  browser.fire("#a1", "pointerover", { pointerType: "touch" });
  await browser.pass(5000);
  assert.deepEqual(durations(browser, "hover"), []);
});

inBrowser("dwell: tells at each threshold, with the page's product", { head: jsonLd(SHOE) }, async (browser) => {
  browser.start();
  await browser.pass(310_000);
  assert.deepEqual(
    durations(browser, "dwell"),
    [5, 10, 15, 30, 60, 120, 180, 300].map((seconds) => seconds * 1000),
  );
  assert.deepEqual(browser.messages("dwell")[0]?.properties, {
    duration_ms: 5000,
    page_type: "product",
    product_id: "SHOE-1",
  });
});

const PAUSES: [what: string, away: (browser: Browser) => void, back: (browser: Browser) => void][] = [
  ["hidden", (browser) => browser.hide(), (browser) => browser.hide(false)],
  ["in the background", (browser) => browser.fireWindow("blur"), (browser) => browser.fireWindow("focus")],
];

for (const [what, away, back] of PAUSES) {
  inBrowser(`dwell: does not count while the page is ${what}`, {}, async (browser) => {
    browser.start();
    await browser.pass(4000);
    away(browser);
    await browser.pass(60_000);
    assert.deepEqual(durations(browser, "dwell"), []);
    back(browser);
    await browser.pass(2000);
    assert.deepEqual(durations(browser, "dwell"), [5000]);
  });
}

inBrowser(
  "dwell: goes on when the focus moves into a frame of the page",
  { body: "<iframe></iframe>" },
  async (browser) => {
    browser.start();
    browser.find("iframe").focus();
    browser.fireWindow("blur");
    await browser.pass(6000);
    assert.deepEqual(durations(browser, "dwell"), [5000]);
  },
);

inBrowser("dwell: begins anew on each page", {}, async (browser) => {
  browser.start();
  await browser.pass(4000);
  browser.window.history.pushState({}, "", "/next");
  await browser.pass(4000);
  assert.deepEqual(durations(browser, "dwell"), []);
  await browser.pass(2000);
  assert.deepEqual(durations(browser, "dwell"), [5000]);
});

async function scrollTo(browser: Browser, bottomPx: number): Promise<void> {
  Object.defineProperty(browser.window, "scrollY", {
    value: bottomPx - browser.window.innerHeight,
    configurable: true,
  });
  browser.window.document.dispatchEvent(new browser.window.Event("scroll"));
  await browser.pass(1250);
}

inBrowser("scroll: tells each depth once per page", {}, async (browser) => {
  Object.defineProperty(browser.window.document.documentElement, "scrollHeight", { value: 4000 });
  browser.start();
  await browser.pass(1000);
  assert.deepEqual(browser.messages("scroll"), []);
  for (const bottomPx of [2100, 1000, 3000, 4000, 4000]) await scrollTo(browser, bottomPx);
  const depths = () => browser.messages("scroll").map(({ properties }) => properties["depth_pct"]);
  assert.deepEqual(depths(), [25, 50, 75, 90, 100]);
  browser.window.history.pushState({}, "", "/next");
  await browser.pass(250);
  await scrollTo(browser, 1500);
  assert.deepEqual(depths().slice(5), [25]);
});

inBrowser("exit_intent: is the mouse leaving through the top, once per page", { body: PRODUCTS }, async (browser) => {
  browser.start();
  browser.fire("p", "pointerout", { pointerType: "mouse", clientY: 400 });
  browser.fire("p", "pointerout", { pointerType: "touch", clientY: 0 });
  browser.fire("p", "pointerout", { pointerType: "mouse", clientY: 0, relatedTarget: browser.find("#a") });
  await browser.pass(500);
  assert.equal(browser.messages("exit_intent").length, 0);
  browser.fire("p", "pointerout", { pointerType: "mouse", clientY: -3 });
  browser.fire("p", "pointerout", { pointerType: "mouse", clientY: -3 });
  await browser.pass(500);
  assert.equal(browser.messages("exit_intent").length, 1);
});

inBrowser(
  "copy: tells how much was copied and where, never what",
  { body: '<p id="code">SAVE20</p>' },
  async (browser) => {
    browser.start();
    browser.window.getSelection()?.selectAllChildren(browser.find("p"));
    browser.fire("p", "copy");
    await browser.pass(500);
    assert.deepEqual(browser.messages("copy")[0]?.properties, { selector: "p#code", length: 6 });
    assert.ok(!JSON.stringify(browser.requests).includes("SAVE20"));
  },
);
