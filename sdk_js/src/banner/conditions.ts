/** When a banner may be shown, as its template says. */

import { numberOf, oneOf, textOf } from "../base/read";
import type { ConsentState } from "../types";

const MAX_GLOBS = 20;
const TRIGGERS = ["load", "exit_intent", "scroll"] as const;
const SCOPES = ["message", "page", "session", "visitor"] as const;

export interface Conditions {
  /** Globs of the paths that it is for; empty for all. */
  pages: string[];
  /** Globs of the paths that it is never for. */
  notPages: string[];
  /** Within what the rule's banners are shown once; "message" sets no further limit. */
  once: (typeof SCOPES)[number];
  /** How long the visitor has been on the page before it may come. */
  delayMs: number;
  on: (typeof TRIGGERS)[number];
  /** How far down the visitor has been, for "scroll". */
  scrollPct: number;
}

/** Reads the conditions that a banner comes with. */
export function readConditions(fields: Record<string, unknown>): Conditions {
  return {
    pages: readGlobs(fields["pages"]),
    notPages: readGlobs(fields["not_pages"]),
    once: oneOf(SCOPES, fields["once"]),
    delayMs: numberOf(fields["delay_ms"]) ?? 0,
    on: oneOf(TRIGGERS, fields["on"]),
    scrollPct: numberOf(fields["scroll_pct"]) ?? 0,
  };
}

/** Whether a banner is for the page at a path. */
export function isForPage({ pages, notPages }: Conditions, path: string): boolean {
  const fits = (glob: string) => expressionOf(glob).test(path);
  return (!pages.length || pages.some(fits)) && !notPages.some(fits);
}

/** Whether the visitor lets banners address them; transactional ones need no consent to marketing. */
export function isConsentedTo({ isTransactional }: { isTransactional: boolean }, consent: ConsentState): boolean {
  return consent.channels?.["banner"] !== false && (isTransactional || consent.marketing !== false);
}

function readGlobs(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf).filter(Boolean).slice(0, MAX_GLOBS) : [];
}

/** `*` stands for any text and `?` for one character, as in rules. */
function expressionOf(glob: string): RegExp {
  const pattern = glob.replace(/\*+|[^\w/-]/g, (sign) => (sign[0] === "*" ? ".*" : sign === "?" ? "." : `\\${sign}`));
  return new RegExp(`^${pattern}$`, "s");
}
