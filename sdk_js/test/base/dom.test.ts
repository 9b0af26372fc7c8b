import assert from "node:assert/strict";
import { resolveUrl, selectorOf } from "../../src/base/dom";
import { inBrowser } from "../support/with-browser";

const body = `
  <main id="main"><div class="card big wide css-1x9f3kd"><a href="/p/1"><img></a></div></main>
  <section><ul class="list"><li><b><i><u></u></i></b></li></ul></section>`;

inBrowser("names an element by the path to its nearest id", { body }, (browser) => {
  assert.equal(selectorOf(browser.find("img")), "main#main>div.card.big>a>img");
});

inBrowser("keeps a path short where there is no id", { body }, (browser) => {
  assert.equal(selectorOf(browser.find("u")), "li>b>i>u");
});

inBrowser("ignores ids that are made up on each load", { body: '<p id="r:3f9a81">x</p>' }, (browser) => {
  assert.equal(selectorOf(browser.find("p")), "p");
});

inBrowser("resolves only addresses that a browser can visit", { url: "https://shop.test/a/b" }, () => {
  const given = ["c", "/d?x=1", "//cdn.test/e", "javascript:alert(1)", "data:text/html,x", "http://[", "", 7, null];
  const resolved = given.map((address) => resolveUrl(address)?.href);
  assert.deepEqual(resolved.slice(0, 3), ["https://shop.test/a/c", "https://shop.test/d?x=1", "https://cdn.test/e"]);
  assert.ok(resolved.slice(3).every((href) => href === undefined));
});
