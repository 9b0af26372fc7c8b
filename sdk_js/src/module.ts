/** Entry of mm.mjs, for bundlers: the page starts it itself. */

import type { Micromoment } from "./api";
import * as banner from "./banner/part";
import { trimmed } from "./config";
import { start } from "./index";
import type { LoadPart, Parts } from "./parts";
import * as push from "./push/part";

export type { Commands, IdentifyOptions, Micromoment } from "./api";
export type { PushOptions } from "./push/subscribe";
export type { ConsentState, Properties } from "./types";

export interface Options {
  writeKey: string;
  /** Address of the collector, such as `https://collector.example`. */
  collector: string;
  /** Whether to capture nothing until `consent({analytics: true})`. */
  optIn?: boolean;
  /** The page's CSP nonce; only browsers without constructed style sheets need it. */
  nonce?: string;
}

const PARTS: Parts = { banner, push };
/** A bundle has no place beside it to load from, so it holds all parts. */
const loadPart: LoadPart = async (name) => PARTS[name];

/** Starts capturing on the current page, once it is parsed; call it once. */
export function init({ writeKey, collector, optIn = false, nonce = "" }: Options): Micromoment {
  return start({ writeKey, collector: trimmed(collector), optIn, nonce }, loadPart);
}
