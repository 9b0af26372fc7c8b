/** The page that the visitor is on, from its first view to the next. */

import { cut } from "../base/read";
import { createSignal, type Signal } from "../base/signal";
import type { PageContext } from "../types";
import type { Catalog } from "./catalog";
import { watchNavigation } from "./navigation";
import { pageType } from "./page-type";

const MAX_URL = 2048;
const MAX_TITLE = 512;

export interface Page {
  /** Where events happen now. */
  context(): PageContext;
  /** Emitted on each view, once the context is the new page's. */
  entered: Signal;
  /** Emitted while the context is still the page's that is being left. */
  left: Signal;
  /** Whether something happens for the first time on this page; remembers it. */
  first(what: string): boolean;
  /** Emits the first view and follows the visitor from then on. */
  start(): void;
}

export function createPage(catalog: Catalog): Page {
  const entered = createSignal();
  const left = createSignal();
  let seen = new Set<string>();
  let context = describe(catalog, document.referrer);

  catalog.changed.on(() => {
    context = { ...context, type: pageType(catalog) };
  });
  const navigate = () => {
    left.emit();
    catalog.refresh();
    seen = new Set();
    context = describe(catalog, context.url);
    entered.emit();
  };
  return {
    entered,
    left,
    context: () => context,
    first: (what) => seen.size !== seen.add(what).size,
    start() {
      watchNavigation(navigate);
      entered.emit();
    },
  };
}

function describe(catalog: Catalog, referrer: string): PageContext {
  return {
    path: cut(location.pathname, MAX_URL),
    url: cut(location.href.replace(/#.*/, ""), MAX_URL),
    title: cut(document.title, MAX_TITLE),
    referrer: cut(referrer, MAX_URL),
    type: pageType(catalog),
  };
}
