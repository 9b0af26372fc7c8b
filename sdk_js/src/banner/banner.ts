/** A banner as the collector sends it, checked: whatever is not as agreed is left out. */

import { resolveUrl } from "../base/dom";
import { fieldsOf, textOf } from "../base/read";

export interface Banner {
  id: string;
  rule: string;
  variant: string;
  /** "bar", "modal" or "slide_in"; anything else is shown like the last. */
  form: string;
  /** Which edge it keeps to: "top", "bottom", "left" or "right"; empty for the form's own. */
  position: string;
  title: string;
  text: string;
  image: string | undefined;
  cta: { label: string; url: string } | undefined;
  /** Empty for none, like the other texts. */
  dismiss: string;
  coupon: string;
  theme: Partial<Record<"background" | "color" | "accent", string>>;
  /** When it stops being worth showing, in milliseconds since the epoch; Infinity when never. */
  expiresAtMs: number;
}

/** Reads a banner; undefined when it has no id, or nothing to say. */
export function readBanner(data: unknown): Banner | undefined {
  const fields = fieldsOf(data);
  const id = textOf(fields["message_id"]);
  const title = textOf(fields["title"]);
  const body = textOf(fields["text"]);
  if (!id || !(title || body)) return undefined;
  return {
    id,
    rule: textOf(fields["rule"]),
    variant: textOf(fields["variant"]),
    form: textOf(fields["form"]),
    position: textOf(fields["position"]),
    title,
    text: body,
    image: resolveUrl(fields["image"])?.href,
    cta: readCta(fieldsOf(fields["cta"])),
    dismiss: textOf(fields["dismiss"]),
    coupon: textOf(fields["coupon"]),
    theme: readTheme(fieldsOf(fields["theme"])),
    expiresAtMs: Date.parse(textOf(fields["expires_at"])) || Infinity,
  };
}

function readCta(fields: Record<string, unknown>): Banner["cta"] {
  const label = textOf(fields["label"]);
  const url = resolveUrl(fields["url"])?.href;
  return label && url ? { label, url } : undefined;
}

function readTheme(fields: Record<string, unknown>): Banner["theme"] {
  const theme: Banner["theme"] = {};
  for (const part of ["background", "color", "accent"] as const) {
    const color = textOf(fields[part]);
    if (CSS.supports("color", color)) theme[part] = color;
  }
  return theme;
}
