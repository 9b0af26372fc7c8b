import assert from "node:assert/strict";
import { createCatalog } from "../../src/page/catalog";
import { createProductFinder } from "../../src/page/product";
import type { Browser } from "../support/browser";
import { inBrowser, jsonLd, SHOE } from "../support/with-browser";

const around = (browser: Browser, selector: string) =>
  createProductFinder(createCatalog()).around(browser.find(selector));

const list = (...skus: string[]) =>
  jsonLd({
    "@type": "ItemList",
    itemListElement: skus.map((sku) => ({ "@type": "Product", sku, url: `https://www.shop.test/p/${sku}/` })),
  });

const card = (id: string) => `<li id="${id}"><div><a href="/p/${id}?ref=list"><img></a><i>price</i></div></li>`;

inBrowser(
  "reads the closest attributes, each from whichever ancestor has it",
  {
    body: `
      <section data-mm-category="Shoes" data-mm-currency="EUR">
        <div data-mm-product="A" data-mm-price="12.50" data-mm-name="Shoe"><i>x</i></div>
      </section>`,
  },
  (browser) => {
    const expected = { product_id: "A", name: "Shoe", price: 12.5, category: "Shoes", currency: "EUR" };
    assert.deepEqual(around(browser, "i"), expected);
    assert.equal(around(browser, "section"), undefined);
  },
);

inBrowser(
  "completes attributes from the JSON-LD of the same product",
  { head: jsonLd(SHOE), body: '<p data-mm-product="SHOE-1" data-mm-price="99">x</p>' },
  (browser) => {
    const product = around(browser, "p");
    assert.deepEqual([product?.name, product?.price, product?.currency], ["Trail Shoe", 99, "EUR"]);
  },
);

inBrowser(
  "believes a meta tag about the page's product, completed from the JSON-LD that names it otherwise",
  {
    url: "https://shop.test/products/shoe",
    head: '<meta data-mm-product="7001" data-mm-price="89">' + jsonLd(SHOE) + list("SOCK"),
    body: '<main><h1>Shoe</h1></main><div id="related"><a href="/p/SOCK">Sock</a></div>',
  },
  (browser) => {
    const finder = createProductFinder(createCatalog());
    const { product_id, name, price, currency } = finder.ofPage() ?? {};
    assert.deepEqual([product_id, name, price, currency], ["7001", "Trail Shoe", 89, "EUR"]);
    assert.equal(around(browser, "h1")?.product_id, "7001");
    assert.equal(around(browser, "#related a")?.product_id, "SOCK");
  },
);

inBrowser(
  "knows a card by its one link to a known product",
  { head: list("A", "B"), body: `<ul>${card("A")}${card("B")}</ul>` },
  (browser) => {
    assert.equal(around(browser, "#B img")?.product_id, "B");
    assert.equal(around(browser, "#B i")?.product_id, "B");
    assert.equal(around(browser, "#A")?.product_id, "A");
    assert.equal(around(browser, "ul"), undefined);
  },
);

inBrowser(
  "knows a card that is the link itself",
  { head: list("A", "B"), body: '<main><a href="/p/A"><b>x</b></a><a href="/p/B"></a></main>' },
  (browser) => {
    assert.equal(around(browser, "b")?.product_id, "A");
  },
);

const PRODUCT_PAGE = `
  <header><a href="/">Shop</a><b>menu</b></header>
  <main><h1>Shoe</h1><img id="picture"><a id="tab" href="#size">Size guide</a><a id="away" href="/help">Help</a>
  <aside><div id="related"><a href="/p/SOCK">Sock</a></div></aside></main>`;

inBrowser(
  "takes the main part of a product page for its product",
  { url: "https://shop.test/p/SHOE-1", head: jsonLd(SHOE) + list("SOCK"), body: PRODUCT_PAGE },
  (browser) => {
    assert.equal(around(browser, "#picture")?.product_id, "SHOE-1");
    assert.equal(around(browser, "#tab")?.product_id, "SHOE-1");
    assert.equal(around(browser, "h1")?.product_id, "SHOE-1");
    assert.equal(around(browser, "#related")?.product_id, "SOCK");
    assert.equal(around(browser, "#away"), undefined);
    assert.equal(around(browser, "header b"), undefined);
  },
);

inBrowser("reads JSON-LD that a single-page shop puts in later", { body: "<main><i>x</i></main>" }, async (browser) => {
  const finder = createProductFinder(createCatalog());
  assert.equal(finder.around(browser.find("i")), undefined);
  browser.window.document.head.insertAdjacentHTML("beforeend", jsonLd(SHOE));
  await browser.pass(500);
  assert.equal(finder.around(browser.find("i"))?.product_id, "SHOE-1");
});
