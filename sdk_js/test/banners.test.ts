import assert from "node:assert/strict";
import { test } from "node:test";
import * as part from "../src/banner/part";
import { partUrl } from "../src/parts";
import { banner, shown, visit } from "./support/banners";
import { FakeStream } from "./support/fakes";
import { inBrowser } from "./support/with-browser";

inBrowser("loads the part that shows banners once, before there is one", {}, async (browser) => {
  let loads = 0;
  browser.parts.banner = async () => {
    loads++;
    return part;
  };
  await visit(browser);
  await browser.pass(1000);
  assert.equal(loads, 1);
  await FakeStream.opened[0]?.send(banner("m1"));
  assert.deepEqual([loads, shown(browser)], [1, ["m1"]]);
});

inBrowser("keeps what comes while the part is on its way, unless the visitor goes", {}, async (browser) => {
  let arrive: (loaded: typeof part) => void = () => undefined;
  browser.parts.banner = () => new Promise((resolve) => (arrive = resolve));
  const micromoment = await visit(browser, banner("m1"));
  micromoment.reset();
  browser.answer = () => ({ status: 200, body: { messages: [banner("m2")] } });
  micromoment.track("somebody new");
  await browser.pass(500);
  arrive(part);
  await browser.pass(250);
  assert.deepEqual(shown(browser), ["m2"]);
});

inBrowser("tells the operator that no banner can be shown, once, and does no other harm", {}, async (browser) => {
  const warnings: unknown[][] = [];
  const { warn } = console;
  console.warn = (...words) => void warnings.push(words);
  try {
    browser.parts.banner = () => Promise.reject(new Error("blocked"));
    const micromoment = await visit(browser, banner("m1"), banner("m2"));
    micromoment.track("still_here");
    await browser.pass(500);
  } finally {
    console.warn = warn;
  }
  assert.equal(warnings.length, 1);
  assert.equal(browser.messages("still_here").length, 1);
});

const ADDRESSES: [core: string, stem: string][] = [
  ["https://edge.test/mm.js", "https://edge.test/mm"],
  ["https://edge.test/mm.0123456789ab.js", "https://edge.test/mm"],
  ["https://edge.test/assets/shop.min.js?x=1#y", "https://edge.test/assets/shop.min"],
];

for (const [core, stem] of ADDRESSES) {
  void test(`looks for the parts of ${core} beside it`, () => {
    assert.equal(partUrl(core, "banner", "fedcba987654"), `${stem}-banner.js?v=fedcba987654`);
  });
}
