import assert from "node:assert/strict";
import { createCatalog } from "../../src/page/catalog";
import { pageType } from "../../src/page/page-type";
import { inBrowser, jsonLd, SHOE } from "../support/with-browser";

const LIST = jsonLd({ "@type": "ItemList", itemListElement: [{ "@type": "Product", sku: "A" }] });

const CASES: [url: string, head: string, expected: string][] = [
  ["/", "", "home"],
  ["/", LIST, "home"],
  ["/about", "", "other"],
  ["/anything", jsonLd(SHOE), "product"],
  ["/anything", jsonLd(SHOE) + LIST, "product"],
  ["/anything", LIST, "category"],
  ["/anything", jsonLd({ "@type": "CollectionPage" }), "category"],
  ["/anything", jsonLd({ "@type": "SearchResultsPage" }) + LIST, "search"],
  ["/anything", '<meta property="og:type" content="product">', "product"],
  ["/anything", '<meta property="og:type" content="website">', "other"],
  ["/blog/returns-policy", jsonLd({ "@type": "BlogPosting" }), "article"],
  ["/p/shopping-cart-toy", "", "product"],
  ["/collections/shoes", "", "category"],
  ["/cart", LIST, "cart"],
  ["/basket", "", "cart"],
  ["/checkout/shipping", "", "checkout"],
  ["/checkout/thank-you", "", "thank_you"],
  ["/order-received/7", "", "thank_you"],
  ["/Search?q=x", "", "search"],
  ["/pricing", "", "pricing"],
  ["/help/size-guide", "", "size_guide"],
  ["/size_guide", "", "size_guide"],
  ["/shipping", "", "shipping"],
  ["/returns", "", "returns"],
  ["/sign-up", "", "sign_up"],
];

for (const [url, head, expected] of CASES) {
  inBrowser(`reads ${url} with "${head.slice(0, 60)}" as ${expected}`, { url: `https://shop.test${url}`, head }, () => {
    assert.equal(pageType(createCatalog()), expected);
  });
}

inBrowser(
  "believes the page's own attribute first",
  { url: "https://shop.test/cart", head: jsonLd(SHOE) },
  (browser) => {
    browser.window.document.body.setAttribute("data-mm-page-type", "lookbook");
    assert.equal(pageType(createCatalog()), "lookbook");
  },
);
