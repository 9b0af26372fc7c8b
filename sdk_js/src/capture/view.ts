/** view_item, view_item_list, select_item: from the page's own JSON-LD. */

import { linkAround, targetOf } from "../base/dom";
import { listen } from "../base/guard";
import type { ProductList } from "../page/json-ld";
import { leadsTo } from "../page/product";
import type { Product, Properties } from "../types";
import { productFields, type Capture } from "./capture";

const MAX_ITEMS = 50;
const KEY_ITEMS = 3;

export const captureView: Capture = ({ track, page, catalog, products }) => {
  const tell = (event: string, product: Product) => {
    if (page.first(viewKey(event, [product.product_id]))) track(event, itemProperties(product));
  };
  const viewList = ({ name, items }: ProductList) => {
    const key = viewKey(
      "view_item_list",
      items.map((item) => item.product_id),
    );
    if (!items.length || !page.first(key)) return;
    track("view_item_list", { item_list_name: name, items: items.slice(0, MAX_ITEMS).map(listedItem) });
  };
  const view = () => {
    const product = products.ofPage();
    if (product) tell("view_item", product);
    catalog.lists().forEach(viewList);
  };
  page.entered.on(view);
  catalog.changed.on(view);

  listen(document, "click", (event) => {
    const target = targetOf(event);
    const product = target && leadsTo(linkAround(target), catalog);
    if (product) tell("select_item", product);
  });
};

/** What marks a view of these products as already told on this page. */
export function viewKey(event: string, ids: readonly unknown[]): string {
  return [event, ...ids.slice(0, KEY_ITEMS)].join(" ");
}

function itemProperties(product: Product): Properties {
  return { ...productFields(product), value: product.price, items: [{ ...product, quantity: 1 }] };
}

/** A list's entries name and price the products; their pictures and links would only weigh. */
function listedItem(product: Product, index: number): Properties {
  const { product_id, name, price, category } = product;
  return { product_id, name, price, category, index };
}
