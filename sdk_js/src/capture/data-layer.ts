/** Reads the GA4 ecommerce events that a shop already puts into its dataLayer. */

import { guarded, listen } from "../base/guard";
import { fieldsOf } from "../base/read";
import type { Properties } from "../types";
import type { Catalog } from "../page/catalog";
import { searchKey } from "./search";
import { viewKey } from "./view";
import type { Capture } from "./capture";

const NAMES = new RegExp(
  "^((view|select)_item|view_item_list|(add_to|remove_from|view)_cart|begin_checkout|add_(shipping|payment)_info|" +
    "purchase|refund|search|add_to_wishlist|sign_up|login|share|subscribe)$",
);
/** Views, selections and searches are also read from the page itself; whoever tells first on a page is believed. */
const ALSO_ON_PAGE = /^((view|select)_item|view_item_list)$/;
/** What belongs to the tag manager, not to the event. */
const FOREIGN_KEY = /^(event|event[A-Z].*|send_to|(gtm\.|_).*)$/;

export const captureDataLayer: Capture = ({ track, page, catalog }) => {
  let attached: unknown;

  const read = guarded((entry: unknown) => {
    const event = readEntry(entry);
    if (!event) return;
    const key = repeatKey(event);
    if (!key || page.first(key)) track(event.name, completed(event.properties, catalog));
  });
  /** The page may create or replace its layer at any time, so this is asked again at cheap moments. */
  const attach = () => {
    const { dataLayer } = window as { dataLayer?: unknown };
    if (dataLayer === attached || !Array.isArray(dataLayer)) return;
    attached = dataLayer;
    dataLayer.slice().forEach(read);
    const push = dataLayer.push;
    dataLayer.push = function (this: unknown, ...entries: unknown[]) {
      const result = push.apply(this as unknown[], entries);
      entries.forEach(read);
      return result;
    };
  };
  page.entered.on(attach);
  listen(window, "load click", attach);
};

interface LayerEvent {
  name: string;
  properties: Properties;
}

/** A tag manager's `{event, ecommerce}` or gtag's `["event", name, parameters]`; undefined for anything else. */
function readEntry(entry: unknown): LayerEvent | undefined {
  const fields = fieldsOf(entry);
  const isCommand = fields["0"] === "event";
  const event = String(isCommand ? fields["1"] : fields["event"]);
  const name = event === "view_search_results" ? "search" : event;
  if (!NAMES.test(name)) return undefined;
  const own = isCommand ? fieldsOf(fields["2"]) : fields;
  return { name, properties: { ...ownProperties(own), ...fieldsOf(own["ecommerce"]) } };
}

function ownProperties(fields: Properties): Properties {
  const isOwn = ([key, value]: [string, unknown]) =>
    !FOREIGN_KEY.test(key) && (key === "items" || typeof value !== "object");
  return Object.fromEntries(Object.entries(fields).filter(isOwn));
}

/** Properties with what the page's JSON-LD tells of the same products, and the dataLayer does not. */
function completed(properties: Properties, catalog: Catalog): Properties {
  const { items } = properties;
  if (Array.isArray(items)) return { ...properties, items: items.map((item) => complete(fieldsOf(item), catalog)) };
  return complete(properties, catalog);
}

function complete(item: Properties, catalog: Catalog): Properties {
  const known = catalog.byId(String(productId(item)));
  const isUntold = ([key]: [string, unknown]) =>
    key !== "product_id" && (item[key] ?? item[`item_${key}`] ?? "") === "";
  return { ...item, ...Object.fromEntries(Object.entries(known ?? {}).filter(isUntold)) };
}

function productId(item: Properties): unknown {
  return item["item_id"] ?? item["product_id"] ?? item["sku"] ?? item["id"];
}

/** What marks an event that the page itself may tell too; undefined for one that it cannot. */
function repeatKey({ name, properties }: LayerEvent): string | undefined {
  if (name === "search") return searchKey(properties["search_term"]);
  if (!ALSO_ON_PAGE.test(name)) return undefined;
  const items = [properties["items"]].flat().map(fieldsOf);
  return viewKey(name, items.map(productId));
}
