import assert from "node:assert/strict";
import type { Browser } from "../support/browser";
import { inBrowser } from "../support/with-browser";

const MOUSE = { detail: 1, clientX: 100, clientY: 100 };

function clicks(browser: Browser, selector: string, times: number[], positions: number[] = []): void {
  times.forEach((timeStamp, index) =>
    browser.fire(selector, "click", { ...MOUSE, clientX: 100 + (positions[index] ?? 0), timeStamp }),
  );
}

inBrowser("click: tells where in the document", { body: '<p id="here">x</p>' }, async (browser) => {
  Object.defineProperties(browser.window.document.documentElement, {
    scrollWidth: { value: 800 },
    scrollHeight: { value: 3000 },
  });
  browser.start();
  browser.fire("p", "click", { detail: 1, clientX: 200, clientY: 300 });
  browser.fire("p", "click", { detail: 0 });
  await browser.pass(1500);
  const [byMouse, byKeyboard] = browser.messages("click");
  assert.deepEqual(byMouse?.properties, { selector: "p#here", x_pct: 25, y_pct: 10 });
  assert.deepEqual(byKeyboard?.properties, { selector: "p#here" });
});

inBrowser("rage_click: is three clicks on one spot within a second", { body: "<p>x</p>" }, async (browser) => {
  browser.start();
  clicks(browser, "p", [0, 300, 600, 700]);
  await browser.pass(500);
  assert.equal(browser.messages("rage_click").length, 1);
});

const CALM: [what: string, body: string, times: number[], positions?: number[]][] = [
  ["two clicks", "<p>x</p>", [0, 300]],
  ["slow clicks", "<p>x</p>", [0, 600, 1200]],
  ["clicks far apart", "<p>x</p>", [0, 100, 200], [0, 50, 100]],
  ["a stepper's button", "<button><p>+</p></button>", [0, 100, 200]],
  ["an icon that goes to the next picture", '<button aria-label="Next picture"><p>x</p></button>', [0, 100, 200]],
  ["a quantity box", '<div class="QuantityBox"><p>x</p></div>', [0, 100, 200]],
  ["a calendar", '<div role="grid"><p>x</p></div>', [0, 100, 200]],
  ["a field", "<label><p>x</p></label>", [0, 100, 200]],
];

for (const [what, body, times, positions] of CALM) {
  inBrowser(`rage_click: is not ${what}`, { body }, async (browser) => {
    browser.start();
    clicks(browser, "p", times, positions);
    await browser.pass(500);
    assert.deepEqual(browser.messages("rage_click"), []);
  });
}

inBrowser("rage_click: is not selecting a word", { body: "<p>word</p>" }, async (browser) => {
  browser.start();
  browser.window.getSelection()?.selectAllChildren(browser.find("p"));
  clicks(browser, "p", [0, 100, 200]);
  await browser.pass(500);
  assert.deepEqual(browser.messages("rage_click"), []);
});

const CLICKABLE: [what: string, body: string, expected: number][] = [
  ["a button", "<button class=t>x</button>", 1],
  ["something in a button", "<button><b class=t>x</b></button>", 1],
  ["a link to nowhere", '<a class=t href="#">x</a>', 1],
  ["what looks like a hand points at it", '<p class=t style="cursor:pointer">x</p>', 1],
  ["plain text", "<p class=t>x</p>", 0],
  ["a link elsewhere", '<a class=t href="/next">x</a>', 0],
  ["a field", "<input class=t>", 0],
  ["a download", "<a class=t download href='#'>x</a>", 0],
];

for (const [what, body, expected] of CLICKABLE) {
  inBrowser(`dead_click: ${expected ? "may be on" : "is never on"} ${what}`, { body }, async (browser) => {
    browser.start();
    browser.fire(".t", "click", MOUSE);
    await browser.pass(1750);
    assert.equal(browser.messages("dead_click").length, 0);
    await browser.pass(750);
    assert.equal(browser.messages("dead_click").length, expected);
  });
}

const REACTIONS: [what: string, act: (browser: Browser) => void][] = [
  ["changes an element", (browser) => browser.find("i").setAttribute("hidden", "")],
  ["adds an element", (browser) => browser.window.document.body.append("text")],
  ["scrolls", (browser) => browser.window.document.dispatchEvent(new browser.window.Event("scroll"))],
  ["goes to another page", (browser) => browser.window.history.pushState({}, "", "/next")],
  ["opens another window", (browser) => browser.fireWindow("blur")],
  ["plays something", (browser) => browser.fire("i", "play", { bubbles: false })],
  ["has text selected", (browser) => browser.window.getSelection()?.selectAllChildren(browser.find("i"))],
];

for (const [what, act] of REACTIONS) {
  inBrowser(`dead_click: is not one when the page ${what}`, { body: "<button>x</button><i>y</i>" }, async (browser) => {
    browser.start();
    await browser.pass(500);
    browser.fire("button", "click", MOUSE);
    await browser.pass(500);
    act(browser);
    await browser.pass(3000);
    assert.deepEqual(browser.messages("dead_click"), []);
  });
}

const FORM = `
  <form id="signup"><input name="email"><input name="password" type="password">
  <select name="size"><option>S<option>M</select><button>go</button></form><input id="loose">`;

const fields = (browser: Browser, name: string) => browser.messages(name).map(({ properties }) => properties);

inBrowser("form: tells of the start, the submission, and never a value", { body: FORM }, async (browser) => {
  browser.start();
  browser.find("[name=email]").setAttribute("value", "ada@secret.test");
  browser.fire("[name=email]", "focusin");
  browser.fire("[name=email]", "input");
  browser.fire("[name=password]", "input");
  browser.fire("[name=size]", "change");
  browser.fire("form", "submit");
  browser.fireWindow("pagehide");
  await browser.pass(1500);
  assert.deepEqual(fields(browser, "form_start"), [{ form_id: "signup", last_field: "email" }]);
  assert.deepEqual(fields(browser, "form_submit"), [{ form_id: "signup", last_field: "size", fields_touched: 3 }]);
  assert.deepEqual(fields(browser, "form_abandon"), []);
  assert.ok(!JSON.stringify([browser.requests, browser.beacons]).includes("secret"));
});

inBrowser("form: is abandoned when the page is left with fields filled", { body: FORM }, async (browser) => {
  browser.start();
  await browser.pass(500);
  browser.fire("[name=email]", "input");
  browser.fire("[name=password]", "focusin");
  browser.fireWindow("pagehide");
  assert.deepEqual(fields(browser, "form_abandon"), [{ form_id: "signup", last_field: "password", fields_touched: 1 }]);
  assert.ok(browser.beacons.flatMap(({ batch }) => batch).some(({ event }) => event === "form_abandon"));
});

inBrowser("form: is abandoned on the page that it was on", { body: FORM }, async (browser) => {
  browser.start();
  browser.fire("[name=email]", "input");
  browser.window.history.pushState({}, "", "/next");
  await browser.pass(1000);
  assert.equal(browser.messages("form_abandon")[0]?.context.page.path, "/");
});

inBrowser(
  "form: is not abandoned when nothing was filled in, nor started by a button",
  { body: FORM },
  async (browser) => {
    browser.start();
    browser.fire("button", "focusin");
    browser.fire("#loose", "input");
    await browser.pass(1500);
    assert.deepEqual(fields(browser, "form_start"), []);
    browser.fire("[name=email]", "focusin");
    browser.fireWindow("pagehide");
    assert.deepEqual(fields(browser, "form_abandon"), []);
  },
);
