/** The products that the current page speaks of, by JSON-LD. */

import type { PageAddress } from "../base/dom";
import { later } from "../base/guard";
import { createSignal, type Signal } from "../base/signal";
import type { Product } from "../types";
import { readStructuredData, type ProductList, type StructuredData } from "./json-ld";

const SCRIPTS = 'script[type="application/ld+json"]';
/** How long changes to the page are collected before its scripts are looked at again. */
const REREAD_MS = 250;

export interface Catalog {
  /** The one product that the page is about. */
  single(): Product | undefined;
  lists(): ProductList[];
  types(): ReadonlySet<string>;
  byUrl(address: PageAddress): Product | undefined;
  byId(id: string): Product | undefined;
  /** Emitted when the page's JSON-LD has become another. */
  changed: Signal;
  /** Reads again now, if the scripts have changed. */
  refresh(): void;
}

export function createCatalog(): Catalog {
  const changed = createSignal();
  let source: string | undefined;
  let data: StructuredData;
  let urls: Map<string, Product>;

  const refresh = () => {
    const scripts = [...document.querySelectorAll(SCRIPTS)].map((script) => script.textContent ?? "");
    const text = scripts.join("\n");
    if (text === source) return;
    source = text;
    data = readStructuredData(scripts);
    urls = new Map(data.products.flatMap((product) => (product.url ? [[keyOf(new URL(product.url)), product]] : [])));
    changed.emit();
  };
  refresh();
  onPageChange(refresh);

  return {
    changed,
    refresh,
    single() {
      const [first, ...others] = data.main;
      return others.every((other) => other.product_id === first?.product_id) ? first : undefined;
    },
    lists: () => data.lists,
    types: () => data.types,
    byUrl: (address) => urls.get(keyOf(address)) ?? urls.get(keyOf(address, "")),
    byId: (id) => data.products.find((product) => product.product_id === id),
  };
}

/** A link and the JSON-LD may name different hosts of one shop, so only path and query count. */
function keyOf({ pathname, search }: PageAddress, query = search): string {
  return `${pathname}${query}`.replace(/\/(\?|$)/, "$1");
}

function onPageChange(work: () => void): void {
  let isWaiting = false;
  const observer = new MutationObserver(() => {
    if (isWaiting) return;
    isWaiting = true;
    later(() => {
      isWaiting = false;
      work();
    }, REREAD_MS);
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });
}
