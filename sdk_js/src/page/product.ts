/** Which product an element belongs to. */

import { isThisPage, linkAround } from "../base/dom";
import { cut, numberOf } from "../base/read";
import type { Product } from "../types";
import type { Catalog } from "./catalog";

const MAX_STEPS = 8;
const MAX_LINKS = 30;
const MAX_TEXT = 512;

export interface ProductFinder {
  /** The product around an element: by data-mm-* attributes, else by JSON-LD. */
  around(element: Element): Product | undefined;
  /** The product that the whole page is about. */
  ofPage(): Product | undefined;
}

export function createProductFinder(catalog: Catalog): ProductFinder {
  const ofPage = () => {
    const single = catalog.single();
    const declared = document.querySelector(["html", "body", "main", "meta"].map((name) => `${name}[data-mm-product]`).join());
    return declared ? declaredProduct(declared, catalog, single) : single;
  };
  return {
    ofPage,
    around: (element) =>
      declaredProduct(element, catalog) ??
      productOfCard(element, catalog) ??
      (isAboutPage(element) ? ofPage() : undefined),
  };
}

/** The product of the closest data-mm-product, completed from the JSON-LD of the same id, or of the same page. */
function declaredProduct(element: Element, catalog: Catalog, ofPage?: Product): Product | undefined {
  const declared = (name: string) =>
    cut(element.closest(`[data-mm-${name}]`)?.getAttribute(`data-mm-${name}`) ?? "", MAX_TEXT) || undefined;
  const id = declared("product");
  if (!id) return undefined;
  const known = catalog.byId(id) ?? ofPage;
  return {
    ...known,
    product_id: id,
    name: declared("name") ?? known?.name,
    price: numberOf(declared("price")) ?? known?.price,
    category: declared("category") ?? known?.category,
    currency: declared("currency") ?? known?.currency,
  };
}

/**
 * The product that a link around the element leads to; else the nearest ancestor whose links lead
 * to exactly one known product is that product's card. A card has no h1.
 */
function productOfCard(element: Element, catalog: Catalog): Product | undefined {
  const linked = leadsTo(linkAround(element), catalog);
  if (linked) return linked;
  let current = element;
  for (let step = 0; step < MAX_STEPS && !current.matches("main,body"); step++) {
    const products = linkedProducts(current, catalog);
    if (products.size > 1 || (products.size && current.querySelector("h1"))) return undefined;
    for (const product of products) return product;
    current = current.parentElement ?? document.body;
  }
  return undefined;
}

function linkedProducts(element: Element, catalog: Catalog): Set<Product> {
  const links = [...element.querySelectorAll<HTMLAnchorElement>("a[href]")].slice(0, MAX_LINKS);
  return new Set(links.flatMap((link) => leadsTo(link, catalog) ?? []));
}

/** Whether an element is part of what the page is about, not of its frame or on the way elsewhere. */
function isAboutPage(element: Element): boolean {
  const link = linkAround(element);
  if (link && !isThisPage(link)) return false;
  const main = document.querySelector("main,[role=main]");
  return main ? main.contains(element) : !element.closest("header,footer,nav,aside");
}

/** The other page's product that a link leads to. */
export function leadsTo(link: HTMLAnchorElement | null, catalog: Catalog): Product | undefined {
  return link && !isThisPage(link) ? catalog.byUrl(link) : undefined;
}
