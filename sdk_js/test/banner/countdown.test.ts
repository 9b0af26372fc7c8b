import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLeft } from "../../src/banner/countdown";
import { banner, inside, reports, shown, visit } from "../support/banners";
import { START_MS } from "../support/browser";
import { inBrowser } from "../support/with-browser";

const LEFT: [leftMs: number, text: string][] = [
  [-1, "0:00"],
  [0, "0:00"],
  [1, "0:01"],
  [59_000, "0:59"],
  [60_000, "1:00"],
  [3_599_001, "1:00:00"],
  [26 * 3_600_000 + 245_000, "26:04:05"],
];

for (const [leftMs, text] of LEFT) void test(`writes ${leftMs} ms as ${text}`, () => assert.equal(formatLeft(leftMs), text));

inBrowser("counts down without being announced at each tick", {}, async (browser) => {
  await visit(browser, banner("m1", { countdown: { for_ms: 60_000, label: "Ends in" } }));
  const clock = inside(browser, "[role=timer]");
  assert.equal(clock.getAttribute("aria-live"), "off");
  const before = clock.textContent;
  await browser.pass(10_000);
  assert.match(inside(browser, ".countdown").textContent ?? "", /^Ends in 0:[45]\d$/);
  assert.notEqual(clock.textContent, before);
});

inBrowser("takes a banner away when its countdown is over, and says so", {}, async (browser) => {
  const until = new Date(START_MS + 5000).toISOString();
  await visit(browser, banner("m1", { countdown: { until } }));
  assert.deepEqual(shown(browser), ["m1"]);
  await browser.pass(6000);
  assert.deepEqual(shown(browser), []);
  assert.deepEqual(await reports(browser), [
    ["message_shown", undefined],
    ["message_dismissed", "countdown"],
  ]);
});

inBrowser("does not show what has run out already", {}, async (browser) => {
  await visit(browser, banner("m1", { countdown: { until: new Date(START_MS - 1).toISOString() } }));
  assert.deepEqual(shown(browser), []);
  assert.deepEqual(await reports(browser), [["message_failed", "expired"]]);
});
