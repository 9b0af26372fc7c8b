/** What a banner says, as elements; every text is set as text. */

import { guarded } from "../base/guard";
import type { Banner } from "./banner";
import { createCountdown } from "./countdown";
import { createCoupon } from "./coupon";
import { button, element } from "./element";

export const TITLE_ID = "title";

export interface ContentHandlers {
  onCta(): void;
  onCoupon(): void;
  onDismiss(): void;
  onCountdownEnd(): void;
}

/** Builds the card: picture, words, coupon, link and the button that dismisses it. */
export function createContent(banner: Banner, handlers: ContentHandlers): HTMLElement {
  const card = element("div", "card");
  const actions = element("div", "actions");
  if (banner.coupon) actions.append(createCoupon(banner, handlers.onCoupon));
  if (banner.cta) actions.append(createCta(banner.cta, handlers.onCta));
  if (banner.image) card.append(createImage(banner.image));
  const dismiss = createDismiss(banner, handlers.onDismiss);
  if (banner.dismiss) actions.append(dismiss);
  card.append(createWords(banner, handlers));
  if (actions.firstChild) card.append(actions);
  if (!banner.dismiss) card.append(dismiss);
  return card;
}

function createWords({ title, text, countdown }: Banner, { onCountdownEnd }: ContentHandlers): HTMLElement {
  const words = element("div", "words");
  const heading = element(title ? "h2" : "p", "", title || text);
  heading.id = TITLE_ID;
  words.append(heading);
  if (title && text) words.append(element("p", "", text));
  // A text may run the other way than its page does.
  for (const part of words.children) (part as HTMLElement).dir = "auto";
  if (countdown) words.append(createCountdown(countdown, onCountdownEnd));
  return words;
}

function createCta({ label, url }: NonNullable<Banner["cta"]>, onClick: () => void): HTMLElement {
  const link = element("a", "cta", label);
  link.href = url;
  link.addEventListener("click", guarded(onClick));
  return link;
}

/** With a label of its own it stands among the actions; without one it is the cross in the corner. */
function createDismiss({ dismiss, labels }: Banner, onClick: () => void): HTMLElement {
  const created = button(dismiss ? "quiet" : "close", dismiss || "×");
  if (!dismiss) created.setAttribute("aria-label", labels.close);
  created.addEventListener("click", guarded(onClick));
  return created;
}

function createImage(url: string): HTMLElement {
  const image = element("img", "");
  image.alt = "";
  image.src = url;
  image.addEventListener("error", () => image.remove());
  return image;
}
