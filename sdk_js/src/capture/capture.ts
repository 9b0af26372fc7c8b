/** What every capture is given. */

import type { Catalog } from "../page/catalog";
import type { Page } from "../page/page";
import type { ProductFinder } from "../page/product";
import type { Product, Properties } from "../types";

export interface Surroundings {
  track(event: string, properties?: Properties): void;
  page: Page;
  catalog: Catalog;
  products: ProductFinder;
}

/** Installs its listeners once; it tracks for as long as the page lives. */
export type Capture = (surroundings: Surroundings) => void;

/** The fields that name a product in an event about attention to it. */
export function productFields(product: Product | undefined): Properties {
  if (!product) return {};
  const { product_id, name, price, category, currency } = product;
  return { product_id, name, price, category, currency };
}
