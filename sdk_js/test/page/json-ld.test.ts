import assert from "node:assert/strict";
import { readStructuredData } from "../../src/page/json-ld";
import { inBrowser, SHOE } from "../support/with-browser";

const read = (...data: unknown[]) => readStructuredData(data.map((item) => JSON.stringify(item)));
/** As it is sent: absent fields are absent. */
const sent = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

inBrowser("reads a product", { url: "https://shop.test/p/shoe" }, () => {
  const { main } = read({ ...SHOE, url: "/p/shoe" });
  assert.deepEqual(sent(main), [
    {
      product_id: "SHOE-1",
      name: "Trail Shoe",
      price: 129.9,
      currency: "EUR",
      category: "Shoes",
      image: "https://shop.test/shoe.png",
      url: "https://shop.test/p/shoe",
    },
  ]);
});

const OFFERS: [what: string, offers: unknown][] = [
  ["an offer", { price: 20, priceCurrency: "USD" }],
  ["the first of several offers", [{ price: "20", priceCurrency: "USD" }, { price: 30 }]],
  ["an aggregate's lowest price", { "@type": "AggregateOffer", lowPrice: 20, priceCurrency: "USD" }],
  ["an aggregate's first offer", { offers: [{ price: 20, priceCurrency: "USD" }] }],
  ["a price specification", { priceSpecification: { price: 20, priceCurrency: "USD" } }],
];

for (const [what, offers] of OFFERS) {
  inBrowser(`finds the price in ${what}`, {}, () => {
    const [product] = read({ "@type": "Product", sku: "1", offers }).main;
    assert.deepEqual([product?.price, product?.currency], [20, "USD"]);
  });
}

const STOCKS: [what: string, offers: unknown, availability: string | undefined][] = [
  ["an offer", { availability: "https://schema.org/InStock" }, "InStock"],
  ["a word alone", { availability: "OutOfStock" }, "OutOfStock"],
  ["one of several offers", [{ availability: "http://schema.org/SoldOut" }, { availability: "InStock" }], "InStock"],
  ["none of several offers", [{ availability: "SoldOut" }, { availability: "OutOfStock" }], "SoldOut"],
  ["an aggregate's offers", { offers: [{ availability: "SoldOut" }, { availability: "PreOrder" }] }, "PreOrder"],
  ["nothing", { price: 20 }, undefined],
];

for (const [what, offers, availability] of STOCKS) {
  inBrowser(`finds whether it can be bought in ${what}`, {}, () => {
    const [product] = read({ "@type": "Product", sku: "1", offers }).main;
    assert.equal(product?.availability, availability);
  });
}

inBrowser("finds what a group does not say in the first of its variants", {}, () => {
  const [product] = read({
    "@type": "ProductGroup",
    productGroupID: "SHOE-1",
    name: "Shoe",
    hasVariant: [
      { "@type": "Product", sku: "V1", image: "/v1.jpg", offers: [{ price: 20, priceCurrency: "EUR", availability: "InStock" }] },
      { "@type": "Product", sku: "V2", image: "/v2.jpg", offers: [{ price: 30 }] },
    ],
  }).main;
  assert.deepEqual(
    [product?.product_id, product?.price, product?.currency, product?.availability, product?.image?.endsWith("/v1.jpg")],
    ["SHOE-1", 20, "EUR", "InStock", true],
  );
});

inBrowser("keeps the digits of a long id, where the browser tells them", {}, () => {
  const script = '{"@type":"Product","sku":1729384756102938475,"offers":{"price":20}}';
  const [product] = readStructuredData([script]).main;
  const tells = String(JSON.parse("12345678901234567890", (_, value, ...rest) => (rest as [{ source?: string }?])[0]?.source ?? value));
  const isTold = tells === "12345678901234567890";
  assert.equal(product?.product_id, isTold ? "1729384756102938475" : String(1729384756102938475));
  assert.equal(product?.price, 20);
});

const WRAPPINGS: [what: string, data: unknown][] = [
  ["alone", SHOE],
  ["in a list of things", [{ "@type": "Organization" }, SHOE]],
  ["in a graph", { "@context": "https://schema.org", "@graph": [{ "@type": "WebSite" }, SHOE] }],
  ["as what a page is about", { "@type": "ItemPage", mainEntity: SHOE }],
  ["by the full name of its type", { ...SHOE, "@type": "https://schema.org/Product" }],
  ["with several types", { ...SHOE, "@type": ["Product", "Car"] }],
  [
    "as a group of variants",
    { "@type": "ProductGroup", productGroupID: "SHOE-1", hasVariant: [{ "@type": "Product", sku: "V" }] },
  ],
];

for (const [what, data] of WRAPPINGS) {
  inBrowser(`finds the page's product ${what}`, {}, () => {
    assert.deepEqual(
      read(data).main.map(({ product_id }) => product_id),
      ["SHOE-1"],
    );
  });
}

inBrowser("does not take recommendations for what the page is about", {}, () => {
  const { main, products } = read({ ...SHOE, isRelatedTo: [{ "@type": "Product", sku: "SOCK", url: "/p/sock" }] });
  assert.deepEqual(
    main.map(({ product_id }) => product_id),
    ["SHOE-1"],
  );
  assert.deepEqual(
    products.map(({ product_id }) => product_id),
    ["SHOE-1", "SOCK"],
  );
});

inBrowser("reads lists of products, of items around products, and of bare links", {}, () => {
  const { lists, main } = read({
    "@type": "ItemList",
    name: "Bestsellers",
    numberOfItems: 40,
    itemListElement: [
      { "@type": "Product", sku: "A" },
      { "@type": "ListItem", position: 2, item: { "@type": "Product", sku: "B", url: "/p/b" } },
      { "@type": "ListItem", position: 3, url: "/p/c-3" },
      { "@type": "ListItem", position: 4, item: "https://shop.test/p/d-4" },
      { "@type": "ListItem", position: 5, item: { "@id": "/p/e-5", name: "E" } },
      { "@type": "ListItem", position: 6, item: { "@type": "Article", url: "/blog/f" } },
    ],
  });
  assert.deepEqual([lists[0]?.name, lists[0]?.total], ["Bestsellers", 40]);
  assert.deepEqual(
    lists[0]?.items.map(({ product_id }) => product_id),
    ["A", "B", "c-3", "d-4", "e-5"],
  );
  assert.deepEqual(main, []);
});

inBrowser("does not take breadcrumbs for products", {}, () => {
  const { lists, products } = read({
    "@type": "BreadcrumbList",
    itemListElement: [{ "@type": "ListItem", url: "/c/shoes" }],
  });
  assert.deepEqual([lists, products], [[], []]);
});

inBrowser("ignores damaged and oversized scripts", {}, () => {
  const large = JSON.stringify({ ...SHOE, description: "x".repeat(600_000) });
  assert.deepEqual(readStructuredData(["{oops", "", large, "null", "3"]).products, []);
});

inBrowser("stops at a bounded number of nodes", {}, () => {
  const many = Array.from({ length: 20_000 }, (_, index) => ({ "@type": "Product", sku: `S${index}` }));
  assert.ok(readStructuredData([JSON.stringify(many)]).products.length <= 5000);
});
