import assert from "node:assert/strict";
import type { Browser } from "../support/browser";
import { banner, inside, press, reports, shown, visit } from "../support/banners";
import { FakeStream } from "../support/fakes";
import { inBrowser } from "../support/with-browser";

inBrowser("shows what a reply brings, and says so", {}, async (browser) => {
  await visit(browser, banner("m1", { variant: "b" }));
  assert.deepEqual(shown(browser), ["m1"]);
  await browser.pass(500);
  const expected = { message_id: "m1", rule: "r", variant: "b", channel: "banner" };
  assert.deepEqual(browser.messages("message_shown")[0]?.properties, expected);
});

inBrowser("shows what the stream brings", {}, async (browser) => {
  await visit(browser);
  await FakeStream.opened[0]?.send(banner("m1"));
  assert.deepEqual(shown(browser), ["m1"]);
});

inBrowser("shows one at a time, each once, with a pause between them", {}, async (browser) => {
  await visit(browser, banner("m1"), banner("m2"), banner("m1"), banner("m2"));
  assert.deepEqual(shown(browser), ["m1"]);
  inside(browser, "button").click();
  await browser.pass(2000);
  assert.deepEqual(shown(browser), []);
  await browser.pass(1500);
  assert.deepEqual(shown(browser), ["m2"]);
  inside(browser, "button").click();
  await browser.pass(5000);
  await FakeStream.opened[0]?.send(banner("m1"));
  assert.deepEqual(shown(browser), []);
});

inBrowser("does not show again on the next page what was shown", {}, async (browser) => {
  await visit(browser, banner("m1"));
  browser.find("[data-micromoment-banner]").remove();
  await visit(browser, banner("m1"), banner("m2"));
  assert.deepEqual(shown(browser), ["m2"]);
});

inBrowser("shows nothing that has expired, even while it waited", {}, async (browser) => {
  const soon = new Date(Date.now() + 5000).toISOString();
  const past = new Date(Date.now() - 1).toISOString();
  await visit(browser, banner("past", { expires_at: past }), banner("m1"), banner("soon", { expires_at: soon }));
  assert.deepEqual(shown(browser), ["m1"]);
  await browser.pass(6000);
  inside(browser, "button").click();
  await browser.pass(5000);
  assert.deepEqual(shown(browser), []);
  const failed = browser.messages("message_failed").map(({ properties }) => properties);
  assert.deepEqual(
    failed.map((properties) => [properties["message_id"], properties["reason"]]),
    [
      ["past", "expired"],
      ["soon", "expired"],
    ],
  );
});

inBrowser("waits until the page is looked at", {}, async (browser) => {
  const micromoment = await visit(browser);
  browser.answer = () => ({ status: 200, body: { messages: [banner("m1")] } });
  micromoment.track("under way");
  browser.hide();
  await browser.pass(500);
  assert.deepEqual(shown(browser), []);
  browser.hide(false);
  assert.deepEqual(shown(browser), ["m1"]);
});

inBrowser("sets every text as text, and links nowhere but to pages", {}, async (browser) => {
  const hostile = "<img src=x onerror=alert(1)>";
  await visit(
    browser,
    banner("m1", {
      title: hostile,
      text: hostile,
      coupon: hostile,
      dismiss: hostile,
      cta: { label: hostile, url: "/sale" },
    }),
  );
  const root = browser.find("[data-micromoment-banner]").shadowRoot;
  assert.equal(root?.querySelector("img"), null);
  assert.deepEqual(
    [...(root?.querySelectorAll("h2,p,a,.code,.quiet") ?? [])].map(({ textContent }) => textContent),
    Array(5).fill(hostile),
  );
  assert.equal(inside(browser, "a").getAttribute("href"), "https://shop.test/sale");
});

inBrowser("uses no style attribute that a content security policy could forbid in markup", {}, async (browser) => {
  await visit(browser, banner("m1", { theme: { accent: "#ff0000" } }));
  assert.equal(inside(browser, ".box").style.getPropertyValue("--accent"), "#ff0000");
});

const DISMISSALS: [reason: string, form: string, act: (browser: Browser) => void][] = [
  ["button", "slide_in", (browser) => inside(browser, "button").click()],
  ["button", "modal", (browser) => inside(browser, "button").click()],
  ["escape", "bar", (browser) => press(browser, "Escape")],
  ["escape", "modal", (browser) => press(browser, "Escape")],
  ["backdrop", "modal", (browser) => inside(browser, "dialog").click()],
  ["escape", "modal", (browser) => void inside(browser, "dialog").dispatchEvent(new browser.window.Event("close"))],
];

for (const [reason, form, act] of DISMISSALS) {
  inBrowser(`reports a ${form} dismissed by ${reason}, once`, {}, async (browser) => {
    await visit(browser, banner("m1", { form }));
    await browser.pass(250);
    act(browser);
    assert.deepEqual(shown(browser), []);
    assert.deepEqual(await reports(browser), [
      ["message_shown", undefined],
      ["message_dismissed", reason],
    ]);
  });
}

inBrowser("reports a click by beacon and leaves the navigation to the browser", {}, async (browser) => {
  await visit(browser, banner("m1", { cta: { label: "Go", url: "/sale" } }));
  await browser.pass(500);
  let isPrevented = true;
  browser.window.document.addEventListener("click", (event) => {
    isPrevented = event.defaultPrevented;
    event.preventDefault();
  });
  inside(browser, "a").click();
  assert.equal(isPrevented, false);
  assert.deepEqual(
    browser.beacons.at(-1)?.batch.map(({ event }) => event),
    ["message_clicked"],
  );
  await browser.pass(500);
  assert.deepEqual(shown(browser), []);
  assert.deepEqual(await reports(browser), [
    ["message_shown", undefined],
    ["message_clicked", undefined],
  ]);
});

inBrowser("copies the coupon and keeps the banner", {}, async (browser) => {
  const copied: string[] = [];
  const clipboard = { writeText: async (text: string) => void copied.push(text) };
  Object.defineProperty(browser.window.navigator, "clipboard", { value: clipboard });
  await visit(browser, banner("m1", { coupon: "SAVE10" }));
  inside(browser, ".copy").click();
  assert.deepEqual(await reports(browser), [
    ["message_shown", undefined],
    ["message_clicked", "coupon"],
  ]);
  assert.deepEqual([copied, shown(browser)], [["SAVE10"], ["m1"]]);
  assert.deepEqual([inside(browser, ".copy").textContent, inside(browser, "[role=status]").textContent], ["Copied", "Copied"]);
});

const ROLES: [form: string, role: string, live: string | null][] = [
  ["bar", "region", "polite"],
  ["slide_in", "region", "polite"],
  ["toast", "region", "polite"],
  ["inline", "region", null],
  ["modal", "dialog", null],
];

for (const [form, role, live] of ROLES) {
  inBrowser(`presents a ${form} to assistive technology as a ${role} named by its title`, {}, async (browser) => {
    await visit(browser, banner("m1", { form, selector: "body" }));
    const box = inside(browser, `[role=${role}]`);
    assert.equal(inside(browser, `#${box.getAttribute("aria-labelledby")}`).textContent, "Hello");
    assert.equal(box.getAttribute("aria-live"), live);
    assert.equal(inside(browser, "button").getAttribute("aria-label"), "Close");
  });
}

inBrowser("keeps the keyboard inside a modal, in both directions", {}, async (browser) => {
  await visit(browser, banner("m1", { form: "modal", dismiss: "No", cta: { label: "Go", url: "/sale" } }));
  const focused = () => browser.find("[data-micromoment-banner]").shadowRoot?.activeElement?.textContent;
  const steps = [focused()];
  for (const shiftKey of [false, false, true, true]) {
    assert.equal(press(browser, "Tab", { shiftKey }), false);
    steps.push(focused());
  }
  assert.deepEqual(steps, ["Go", "No", "Go", "No", "Go"]);
});

inBrowser("does not take the focus for a bar", { body: "<input>" }, async (browser) => {
  browser.find("input").focus();
  await visit(browser, banner("m1", { form: "bar" }));
  assert.equal(browser.window.document.activeElement, browser.find("input"));
});

inBrowser("does not count its own buttons as behaviour on the page", {}, async (browser) => {
  await visit(browser, banner("m1"));
  inside(browser, "button").click();
  await browser.pass(3000);
  assert.deepEqual([browser.messages("click"), browser.messages("dead_click")], [[], []]);
});

inBrowser("shows a banner in one tab only", {}, async (browser) => {
  const held = new Set<string>();
  const request = async (name: string, _options: unknown, work: (lock: object | null) => unknown) => {
    const isFree = !held.has(name);
    held.add(name);
    await work(isFree ? {} : null);
  };
  Object.defineProperty(browser.window.navigator, "locks", { value: { request } });
  await visit(browser, banner("m1"));
  browser.find("[data-micromoment-banner]").remove();
  browser.window.localStorage.removeItem("mm_banners"); // the other tab's write has not arrived yet
  await visit(browser, banner("m1"));
  assert.deepEqual(shown(browser), []);
});

inBrowser("takes banners away with the visitor", {}, async (browser) => {
  const micromoment = await visit(browser, banner("m1"), banner("m2"));
  micromoment.reset();
  assert.deepEqual(shown(browser), []);
});
