/** Gives each test a page of its own, and takes it away however the test ends. */

import { test } from "node:test";
import { Browser } from "./browser";

type PageOptions = ConstructorParameters<typeof Browser>[1] & { body?: string };

/** Declares a test of one page; `name` states what holds. */
export function inBrowser(
  name: string,
  { body = "", ...options }: PageOptions,
  work: (browser: Browser) => Promise<void> | void,
): void {
  void test(name, async () => {
    const browser = new Browser(body, options);
    try {
      await work(browser);
    } finally {
      browser.close();
    }
  });
}

/** A JSON-LD script with the given content. */
export function jsonLd(data: unknown): string {
  return `<script type="application/ld+json">${JSON.stringify(data)}</script>`;
}

export const SHOE = {
  "@context": "https://schema.org",
  "@type": "Product",
  sku: "SHOE-1",
  name: "Trail Shoe",
  category: "Shoes",
  image: ["/shoe.png"],
  offers: { "@type": "Offer", price: "129.90", priceCurrency: "EUR" },
};
