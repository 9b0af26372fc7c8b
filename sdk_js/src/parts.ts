/** Parts of the SDK that few pages need at once: files of their own, loaded when they are first asked for. */

import type * as banner from "./banner/part";
import type * as push from "./push/part";

/** What each part's file exports. Files of two versions may meet in a page, so an export keeps its shape. */
export interface Parts {
  banner: typeof banner;
  push: typeof push;
}

export type PartName = keyof Parts;

/** Gives a part, loading it when this is the first time; rejects when it cannot be loaded. */
export type LoadPart = <Name extends PartName>(name: Name) => Promise<Parts[Name]>;

/** Hashes of the parts that were built together with this file. */
declare const __PARTS__: Record<PartName, string>;

/** Loads parts from beside the core. */
export function partsBeside(coreUrl: string): LoadPart {
  // An import, unlike a script element, passes the page's nonce on and needs no trusted type.
  return (name) => import(partUrl(coreUrl, name, __PARTS__[name]));
}

/** Where a part is: for `/mm.js` and `/mm.<hash>.js` alike at `/mm-<part>.js`, cached by its own hash. */
export function partUrl(coreUrl: string, name: PartName, digest: string): string {
  const stem = coreUrl.replace(/(\.[\da-f]{12})?\.js([?#].*)?$/, "");
  return `${stem}-${name}.js?v=${digest}`;
}
