/** Reads schema.org products and lists out of a page's JSON-LD. */

import { resolveUrl } from "../base/dom";
import { fieldsOf, numberOf, textOf } from "../base/read";
import type { Product } from "../types";

const MAX_SCRIPT_LENGTH = 500_000;
const MAX_NODES = 5000;
const LONG_NUMBER = /\d{16}/;
const IN_STOCK = /(InStock|LimitedAvailability|OnlineOnly|PreOrder|BackOrder)$/i;

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
    return JSON.parse(script, LONG_NUMBER.test(script) ? exact : undefined);
  } catch {
    return undefined;
  }
}

/** An id of more digits than a number holds, as the text that it is in the script, in browsers that tell it. */
function exact(_: string, value: unknown, context?: { source?: string }): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;
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
  // A group of variants has what it does not say itself from the first of them.
  const variant = first(node["hasVariant"]);
  const offers = [node["offers"] ?? variant["offers"]].flat().map(fieldsOf);
  const offer = offers[0] ?? {};
  // An AggregateOffer may hold the offers, and an Offer may hold a price of its own making.
  const inner = [offer["offers"]].flat().map(fieldsOf);
  const prices = [offer, inner[0] ?? {}, first(offer["priceSpecification"])];
  const find = (key: string) => prices.map((place) => place[key]).find(Boolean);
  const availabilities = [...offers, ...inner].map((each) => text(each["availability"])).filter(Boolean);
  const images = node["image"] ?? variant["image"];
  return {
    product_id: id,
    name: text(node["name"]) ?? text(variant["name"]),
    price: numberOf(find("price") ?? find("lowPrice")),
    currency: text(find("priceCurrency")),
    category: text(node["category"]) || text(first(node["category"])["name"]),
    image: resolveUrl(text([images].flat()[0]) || text(first(images)["url"]))?.href,
    url: url?.href,
    // What is offered in several ways can be bought in any of them.
    availability: (availabilities.find((each) => IN_STOCK.test(each ?? "")) ?? availabilities[0])?.replace(/^.*\//, ""),
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
