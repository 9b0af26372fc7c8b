/** search: from the address of a results page; a dataLayer that says it too has the first word. */

import { cut } from "../base/read";
import type { Catalog } from "../page/catalog";
import type { Capture } from "./capture";

const PARAMETERS = ["q", "query", "search", "s", "keyword", "search_term"];
const MAX_TERM = 256;

export const captureSearch: Capture = ({ track, page, catalog }) => {
  page.entered.on(() => {
    const { path, type } = page.context();
    if (type !== "search" && !/search/i.test(path)) return;
    const query = new URLSearchParams(location.search);
    const term = PARAMETERS.map((name) => query.get(name)?.trim()).find(Boolean);
    if (!term || !page.first(searchKey(term))) return;
    track("search", { search_term: cut(term, MAX_TERM), results: resultCount(catalog) });
  });
};

/** What marks a search as already told on this page. */
export function searchKey(term: unknown): string {
  return `search ${String(term).toLowerCase()}`;
}

function resultCount(catalog: Catalog): number | undefined {
  const [list] = catalog.lists();
  return list?.total ?? list?.items.length;
}
