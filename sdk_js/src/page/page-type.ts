/** What kind of page this is, by what it says of itself. */

import { cut } from "../base/read";
import type { Catalog } from "./catalog";

const MAX_NAME = 64;

/** Schema.org types and Open Graph types, then words of the path; the first that is found decides. */
const SIGNS: [sign: RegExp, pageType: string][] = [
  [/SearchResultsPage/, "search"],
  [/CollectionPage/, "category"],
  [/Article|BlogPosting|og:article/, "article"],
  [/og:product|\/(p|products?|item)\/./, "product"],
  [/\/(c|category|categories|collections?)\/./, "category"],
  [/thank|order-(received|confirm)/, "thank_you"],
  [/\/(basket|bag)\b/, "cart"],
];
/** Words of a path that name their own type of page. */
const NAMES = /checkout|cart|search|pricing|size[-_]guide|shipping|returns|account|sign[-_]up/;

/**
 * The page's own attribute first, then what its JSON-LD or Open Graph tags state outright, then
 * the words of its path; a bare list comes last, since carts and home pages carry lists too.
 */
export function pageType(catalog: Catalog): string {
  const declared = document.querySelector<HTMLElement>("html[data-mm-page-type],body[data-mm-page-type]");
  if (declared) return cut(declared.dataset["mmPageType"] ?? "", MAX_NAME);
  if (catalog.single()) return "product";
  const openGraph = document.querySelector<HTMLMetaElement>('meta[property="og:type"]')?.content;
  const path = location.pathname.toLowerCase();
  const signs = `${[...catalog.types()].join()} og:${openGraph} ${path}`;
  return (
    SIGNS.find(([sign]) => sign.test(signs))?.[1] ??
    NAMES.exec(path)?.[0].replace("-", "_") ??
    (path === "/" ? "home" : catalog.lists().length ? "category" : "other")
  );
}
