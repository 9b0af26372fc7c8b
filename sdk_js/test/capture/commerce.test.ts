import assert from "node:assert/strict";
import type { Browser } from "../support/browser";
import { inBrowser, jsonLd, SHOE } from "../support/with-browser";

type Layer = { dataLayer?: unknown[] };

const properties = (browser: Browser, name: string) => browser.messages(name).map((message) => message.properties);
const layerOf = (browser: Browser) => browser.window as unknown as Layer;

inBrowser("view_item: is read from the page's one product", { head: jsonLd(SHOE) }, async (browser) => {
  browser.start();
  await browser.pass(500);
  const item = { product_id: "SHOE-1", name: "Trail Shoe", price: 129.9, category: "Shoes", currency: "EUR" };
  const [view, ...more] = properties(browser, "view_item");
  assert.deepEqual(more, []);
  assert.deepEqual(view, {
    ...item,
    value: 129.9,
    items: [{ ...item, image: "https://shop.test/shoe.png", quantity: 1 }],
  });
});

inBrowser("view_item: comes after the view of its page", { head: jsonLd(SHOE) }, async (browser) => {
  browser.start();
  await browser.pass(500);
  assert.deepEqual(browser.names(), ["session_start", "page", "view_item"]);
});

const GA4_VIEW = {
  event: "view_item",
  ecommerce: { currency: "EUR", value: 100, items: [{ item_id: "SHOE-1", price: 100 }] },
};

inBrowser("view_item: is told once when the dataLayer says it too, before", { head: jsonLd(SHOE) }, async (browser) => {
  layerOf(browser).dataLayer = [GA4_VIEW];
  browser.start();
  await browser.pass(500);
  const [view, ...others] = properties(browser, "view_item");
  assert.deepEqual(others, []);
  const [item] = view?.["items"] as Record<string, unknown>[];
  assert.deepEqual([view?.["value"], item?.["item_id"], item?.["price"]], [100, "SHOE-1", 100]);
});

inBrowser("view_item: is told once when the dataLayer says it too, after", { head: jsonLd(SHOE) }, async (browser) => {
  const layer: unknown[] = [];
  layerOf(browser).dataLayer = layer;
  browser.start();
  layer.push(GA4_VIEW);
  layer.push({ ...GA4_VIEW, ecommerce: { items: [{ item_id: "OTHER" }] } });
  await browser.pass(500);
  const items = properties(browser, "view_item").map((view) => (view["items"] as Record<string, unknown>[])[0]);
  assert.deepEqual(
    items.map((item) => item?.["product_id"] ?? item?.["item_id"]),
    ["SHOE-1", "OTHER"],
  );
});

const TOLD_TWICE = jsonLd({
  "@type": "Product",
  sku: "SHOE-1",
  name: "Shoe of the markup",
  category: "Shoes",
  image: ["https://shop.example/shoe.jpg"],
  url: "https://shop.example/shoe",
  offers: [
    { price: "90.00", priceCurrency: "EUR", availability: "https://schema.org/OutOfStock" },
    { price: "95.00", priceCurrency: "EUR", availability: "https://schema.org/InStock" },
  ],
});
const MARKUP_ALONE = {
  image: "https://shop.example/shoe.jpg",
  url: "https://shop.example/shoe",
  availability: "InStock",
};

inBrowser("dataLayer: is completed by what JSON-LD tells of the same product", { head: TOLD_TWICE }, async (browser) => {
  const item = { item_id: "SHOE-1", item_name: "Shoe", item_variant: "red", price: 100 };
  layerOf(browser).dataLayer = [
    { event: "view_item", ecommerce: { items: [item] } },
    { event: "add_to_cart", ecommerce: { items: [item, { item_id: "OTHER", price: 1 }] } },
    { event: "add_to_cart", product_id: "SHOE-1", price: "", quantity: 2 },
  ];
  browser.start();
  await browser.pass(500);
  const whole = { ...item, ...MARKUP_ALONE, category: "Shoes", currency: "EUR" };
  assert.deepEqual(properties(browser, "view_item"), [{ items: [whole] }]);
  assert.deepEqual(properties(browser, "add_to_cart"), [
    { items: [whole, { item_id: "OTHER", price: 1 }] },
    {
      ...MARKUP_ALONE,
      product_id: "SHOE-1",
      quantity: 2,
      price: 90,
      name: "Shoe of the markup",
      category: "Shoes",
      currency: "EUR",
    },
  ]);
});

const LIST = jsonLd({
  "@type": "ItemList",
  name: "Shoes",
  numberOfItems: 70,
  itemListElement: Array.from({ length: 60 }, (_, index) => ({
    "@type": "Product",
    sku: `S${index}`,
    url: `/p/s${index}`,
  })),
});

inBrowser("view_item_list: names at most fifty products of a list", { head: LIST }, async (browser) => {
  browser.start();
  await browser.pass(500);
  const [list] = properties(browser, "view_item_list");
  const items = list?.["items"] as unknown[];
  assert.deepEqual([list?.["item_list_name"], items.length], ["Shoes", 50]);
  assert.deepEqual(items[1], { product_id: "S1", index: 1 });
});

inBrowser(
  "select_item: is a click that goes to a known product",
  { head: LIST, body: '<a href="/p/s7"><b>x</b></a><a id="other" href="/help">y</a>' },
  async (browser) => {
    browser.start();
    browser.fire("b", "click");
    browser.fire("#other", "click");
    await browser.pass(1500);
    assert.deepEqual(
      properties(browser, "select_item").map((selected) => selected["product_id"]),
      ["S7"],
    );
  },
);

inBrowser("dataLayer: understands a tag manager's events and gtag's, and nothing else", {}, async (browser) => {
  const layer: unknown[] = [];
  layerOf(browser).dataLayer = layer;
  browser.start();
  await browser.pass(500);
  layer.push({ event: "gtm.js", "gtm.start": 1 }, { ecommerce: null }, { event: "generate_lead" }, "text", null, 7);
  layer.push({
    event: "purchase",
    ecommerce: { transaction_id: "T1", value: 9, items: [{ item_id: "A" }] },
    payment_type: "card",
    user_data: { email: "x" },
    "gtm.uniqueEventId": 3,
    eventTimeout: 2000,
    eventCallback: () => undefined,
  });
  const gtag = (...values: unknown[]) => layer.push(Object.assign({ length: values.length }, values));
  gtag("js", new Date());
  gtag("event", "add_to_cart", { currency: "EUR", items: [{ item_id: "B", quantity: 2 }], send_to: "G-1" });
  gtag("event", "view_search_results", { search_term: "Boots" });
  await browser.pass(500);
  assert.deepEqual(browser.names().slice(2), ["purchase", "add_to_cart", "search"]);
  assert.deepEqual(properties(browser, "purchase")[0], {
    transaction_id: "T1",
    value: 9,
    payment_type: "card",
    items: [{ item_id: "A" }],
  });
  assert.deepEqual(properties(browser, "add_to_cart")[0], { currency: "EUR", items: [{ item_id: "B", quantity: 2 }] });
});

inBrowser("dataLayer: is read as it was, whatever the page does to it afterwards", {}, async (browser) => {
  const layer: unknown[] = [];
  layerOf(browser).dataLayer = layer;
  browser.start();
  const ecommerce = { value: 5, items: [{ item_id: "A" }] };
  const length = layer.push({ event: "add_to_cart", ecommerce });
  ecommerce.value = 0;
  await browser.pass(500);
  assert.deepEqual([length, layer.length], [1, 1]);
  assert.equal(properties(browser, "add_to_cart")[0]?.["value"], 5);
});

inBrowser("dataLayer: is found when it appears later, and never made", { body: "<p>x</p>" }, async (browser) => {
  browser.start();
  assert.equal("dataLayer" in browser.window, false);
  layerOf(browser).dataLayer = [{ event: "add_to_cart", ecommerce: {} }];
  browser.fire("p", "click");
  layerOf(browser).dataLayer?.push({ event: "remove_from_cart" });
  await browser.pass(1500);
  assert.deepEqual([properties(browser, "add_to_cart").length, properties(browser, "remove_from_cart").length], [1, 1]);
});

inBrowser(
  "search: is read from the address of a results page",
  { url: "https://shop.test/search?q=+Red+Shoes", head: LIST },
  async (browser) => {
    browser.start();
    await browser.pass(500);
    assert.deepEqual(properties(browser, "search"), [{ search_term: "Red Shoes", results: 70 }]);
  },
);

inBrowser(
  "search: is told once when the dataLayer says it too",
  { url: "https://shop.test/search?q=Boots" },
  async (browser) => {
    layerOf(browser).dataLayer = [{ event: "search", search_term: "boots", results: 4 }];
    browser.start();
    await browser.pass(500);
    assert.deepEqual(properties(browser, "search"), [{ search_term: "boots", results: 4 }]);
  },
);

inBrowser(
  "search: is no search where the parameter means something else",
  { url: "https://shop.test/cart?s=1" },
  async (browser) => {
    browser.start();
    await browser.pass(500);
    assert.deepEqual(properties(browser, "search"), []);
  },
);

const MARKUP = `
  <div data-mm-product="A" data-mm-price="10.50" data-mm-currency="EUR">
    <button data-mm-event="add_to_cart" data-mm-quantity="2"><i>Add</i></button>
    <button id="wish" data-mm-event="add_to_wishlist" data-mm-list-name="gifts">Wish</button>
    <form data-mm-event="add_to_cart"><button id="inside">Add</button></form>
  </div>`;

inBrowser(
  "markup: a declared event is sent with what its element and product say",
  { body: MARKUP },
  async (browser) => {
    browser.start();
    browser.fire("i", "click");
    browser.fire("#wish", "click");
    await browser.pass(500);
    const product = { product_id: "A", price: 10.5, currency: "EUR" };
    assert.deepEqual(properties(browser, "add_to_cart"), [{ ...product, quantity: 2, value: 21 }]);
    assert.deepEqual(properties(browser, "add_to_wishlist"), [{ ...product, list_name: "gifts" }]);
  },
);

inBrowser(
  "markup: a form's declared event is its submission, not the click that submits it",
  { body: MARKUP },
  async (browser) => {
    browser.start();
    browser.fire("form", "click");
    browser.find("#inside").click();
    await browser.pass(500);
    assert.deepEqual(
      properties(browser, "add_to_cart").map((added) => added["quantity"]),
      [1],
    );
  },
);
