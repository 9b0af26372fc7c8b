/** Reads schema.org products and lists out of a page's JSON-LD. */

import { resolveUrl } from "../base/dom";
import { fieldsOf, numberOf, textOf } from "../base/read";
import type { Product } from "../types";

const MAX_SCRIPT_LENGTH = 500_000;
const MAX_NODES = 5000;

type Node = Record<string, unknown>;

export interface ProductList {
  name: string | undefined;
  /** How many results there are in all, where the page says so. */
  total: number | undefined;
  items: Product[];
}

export interface StructuredData {
  /** Products that the page is about, as opposed to those in lists and recommendations. */
  main: Product[];
  /** Every product that the page names. */
  products: Product[];
  lists: ProductList[];
  /** The schema.org types that stand for themselves, such as `SearchResultsPage`. */
  types: Set<string>;
}

/** Reads the texts of a page's JSON-LD scripts; damaged and oversized ones are ignored. */
export function readStructuredData(scripts: readonly string[]): StructuredData {
  const data: StructuredData = { main: [], products: [], lists: [], types: new Set() };
  let budget = MAX_NODES;

  const visit = (value: unknown, isMain: boolean): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, isMain));
    if (typeof value !== "object" || !value || budget-- <= 0) return;
    const node = value as Node;
    if (isMain) typesOf(node).forEach((type) => data.types.add(type));
    const isProduct = hasType(node, /^Product(Group|Model)?$/);
    if (isProduct) addProduct(data, node, isMain);
    if (hasType(node, /^ItemList$/)) data.lists.push(readList(node));
    for (const [key, child] of Object.entries(node)) {
      if (typeof child === "object") visit(child, isMain && !isProduct && key !== "itemListElement");
    }
  };
  scripts.forEach((script) => visit(parse(script), true));
  data.lists.forEach((list) => data.products.push(...list.items));
  return data;
}

function parse(script: string): unknown {
  if (script.length > MAX_SCRIPT_LENGTH) return undefined;
  try {
    return JSON.parse(script);
  } catch {
    return undefined;
  }
}

function typesOf(node: Node): string[] {
  return [node["@type"]].flat().map((type) => String(type).replace(/^.*[/:]/, ""));
}

function hasType(node: Node, pattern: RegExp): boolean {
  return typesOf(node).some((type) => pattern.test(type));
}

function addProduct(data: StructuredData, node: Node, isMain: boolean): void {
  const product = readProduct(node);
  if (!product) return;
  data.products.push(product);
  if (isMain) data.main.push(product);
}

function readList(node: Node): ProductList {
  const items = [node["itemListElement"]].flat().map(readListItem);
  return {
    name: text(node["name"]),
    total: numberOf(node["numberOfItems"]),
    items: items.filter((item) => item !== undefined),
  };
}

/** An entry is a product, or a ListItem around one, or a ListItem that only links to one. */
function readListItem(entry: unknown): Product | undefined {
  const listItem = fieldsOf(entry);
  const node: Node = { url: listItem["item"], ...listItem, ...fieldsOf(listItem["item"]) };
  return hasType(node, /^(Product(Group|Model)?|ListItem)$/) ? readProduct(node) : undefined;
}

function readProduct(node: Node): Product | undefined {
  const url = resolveUrl(text(node["url"]) || text(node["@id"]));
  const id = ["sku", "productID", "productGroupID", "mpn"].map((key) => text(node[key])).find(Boolean) || lastStep(url);
  if (!id) return undefined;
  const offer = first(node["offers"]);
  // An AggregateOffer may hold the offers, and an Offer may hold a price of its own making.
  const prices = [offer, first(offer["offers"]), first(offer["priceSpecification"])];
  const find = (key: string) => prices.map((place) => place[key]).find(Boolean);
  return {
    product_id: id,
    name: text(node["name"]),
    price: numberOf(find("price") ?? find("lowPrice")),
    currency: text(find("priceCurrency")),
    category: text(node["category"]) || text(first(node["category"])["name"]),
    image: resolveUrl(text([node["image"]].flat()[0]) || text(first(node["image"])["url"]))?.href,
    url: url?.href,
  };
}

function text(value: unknown): string | undefined {
  return textOf(value) || undefined;
}

/** The first object of what may be one or several. */
function first(value: unknown): Node {
  return fieldsOf([value].flat()[0]);
}

function lastStep(url: URL | undefined): string | undefined {
  return url?.pathname.split("/").filter(Boolean).pop();
}
