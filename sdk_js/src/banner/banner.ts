/** A banner as the collector sends it, checked: whatever is not as agreed is left out. */

import { resolveUrl } from "../base/dom";
import { fieldsOf, numberOf, oneOf, textOf } from "../base/read";
import { readConditions, type Conditions } from "./conditions";
import { readCountdown, type CountdownSettings } from "./countdown";
import { readTheme, type Theme } from "./theme";

const FORMS = ["slide_in", "bar", "modal", "toast", "inline"] as const;
const PLACES = ["append", "prepend", "before", "after"] as const;
/** A toast is read in passing; anything else stays until the visitor has answered it. */
const TOAST_STAY_MS = 8000;

export interface Banner {
  id: string;
  rule: string;
  variant: string;
  form: (typeof FORMS)[number];
  /** Which edge it keeps to: "top", "bottom", "left" or "right"; empty for the form's own. */
  position: string;
  /** The element of the page that an inline banner belongs to, and where there; empty for other forms. */
  selector: string;
  place: (typeof PLACES)[number];
  title: string;
  text: string;
  image: string | undefined;
  cta: { label: string; url: string } | undefined;
  /** Empty for none, like the other texts. */
  dismiss: string;
  coupon: string;
  countdown: CountdownSettings | undefined;
  /** The words on its small controls. */
  labels: Record<"close" | "copy" | "copied", string>;
  theme: Theme;
  conditions: Conditions;
  /** After how long it goes away by itself, unless the visitor is busy with it; Infinity for never. */
  stayMs: number;
  /** Whether it is about what the visitor does anyway, so that no consent to marketing is needed. */
  isTransactional: boolean;
  /** When it stops being worth showing, in milliseconds since the epoch; Infinity when never. */
  expiresAtMs: number;
}

/** Reads a banner; undefined when it has no id, nothing to say, or no place to say it. */
export function readBanner(data: unknown): Banner | undefined {
  const fields = fieldsOf(data);
  const text = (name: string) => textOf(fields[name]);
  const display = fieldsOf(fields["display"]);
  const form = oneOf(FORMS, fields["form"]);
  const selector = form === "inline" ? text("selector") : "";
  const isSayable = text("title") || text("text");
  if (!text("message_id") || !isSayable || (form === "inline" && !selector)) return undefined;
  return {
    id: text("message_id"),
    rule: text("rule"),
    variant: text("variant"),
    form,
    position: text("position"),
    selector,
    place: oneOf(PLACES, fields["place"]),
    title: text("title"),
    text: text("text"),
    image: resolveUrl(fields["image"])?.href,
    cta: readCta(fieldsOf(fields["cta"])),
    dismiss: text("dismiss"),
    coupon: text("coupon"),
    countdown: readCountdown(fieldsOf(fields["countdown"])),
    labels: readLabels(fieldsOf(fields["labels"])),
    theme: readTheme(fieldsOf(fields["theme"])),
    conditions: readConditions(display),
    stayMs: numberOf(display["stay_ms"]) || (form === "toast" ? TOAST_STAY_MS : Infinity),
    isTransactional: text("class") === "transactional",
    expiresAtMs: Date.parse(text("expires_at")) || Infinity,
  };
}

function readCta(fields: Record<string, unknown>): Banner["cta"] {
  const label = textOf(fields["label"]);
  const url = resolveUrl(fields["url"])?.href;
  return label && url ? { label, url } : undefined;
}

function readLabels({ close, copy, copied }: Record<string, unknown>): Banner["labels"] {
  return { close: textOf(close) || "Close", copy: textOf(copy) || "Copy", copied: textOf(copied) || "Copied" };
}
