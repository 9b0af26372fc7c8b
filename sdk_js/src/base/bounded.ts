/** Copies a page's values so that nothing it hands over can be huge, cyclic or unserialisable. */

import type { Properties } from "../types";
import { cut } from "./read";

const MAX_VALUES = 2000;
const MAX_ITEMS = 50;
const MAX_TEXT = 1024;

/** A plain copy of an event's properties, cut to size; empty when they cannot be written as JSON. */
export function bounded(properties: Properties): Properties {
  let budget = MAX_VALUES;
  const limit = (_key: string, value: unknown) => {
    if (budget-- <= 0 || isElement(value)) return undefined;
    if (typeof value === "string") return cut(value, MAX_TEXT);
    if (typeof value === "bigint") return String(value);
    return Array.isArray(value) ? value.slice(0, MAX_ITEMS) : value;
  };
  try {
    return JSON.parse(JSON.stringify(properties, limit)) as Properties;
  } catch {
    return {};
  }
}

/** By shape, since the page's elements may come from another frame. */
function isElement(value: unknown): boolean {
  return typeof value === "object" && value !== null && "nodeType" in value;
}
