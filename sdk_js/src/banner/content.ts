/** What a banner says, as elements; every text is set as text. */

import { guarded } from "../base/guard";
import type { Banner } from "./banner";

export const TITLE_ID = "title";
const DEFAULT_DISMISS = "Close";

export interface ContentHandlers {
  onCta(): void;
  onCoupon(): void;
  onDismiss(): void;
}

/** Builds the card: picture, words, coupon, link and the button that dismisses it. */
export function createContent(banner: Banner, handlers: ContentHandlers): HTMLElement {
  const card = element("div", "card");
  const words = element("div", "words");
  const title = element(banner.title ? "h2" : "p", "", banner.title || banner.text);
  title.id = TITLE_ID;
  words.append(title);
  if (banner.title && banner.text) words.append(element("p", "", banner.text));
  // A text may run the other way than its page does.
  for (const text of words.children) (text as HTMLElement).dir = "auto";
  const actions = element("div", "actions");
  if (banner.coupon) actions.append(createCoupon(banner.coupon, handlers.onCoupon));
  if (banner.cta) actions.append(createCta(banner.cta, handlers.onCta));
  if (banner.image) card.append(createImage(banner.image));
  const dismiss = createDismiss(banner.dismiss, handlers.onDismiss);
  if (banner.dismiss) actions.append(dismiss);
  card.append(words);
  if (actions.firstChild) card.append(actions);
  if (!banner.dismiss) card.append(dismiss);
  return card;
}

function createCta({ label, url }: NonNullable<Banner["cta"]>, onClick: () => void): HTMLElement {
  const link = element("a", "cta", label);
  link.href = url;
  onActivate(link, onClick);
  return link;
}

/** With a label of its own it stands among the actions; without one it is the cross in the corner. */
function createDismiss(label: string, onClick: () => void): HTMLElement {
  const button = element("button", label ? "quiet" : "close", label || "×");
  button.type = "button";
  if (!label) button.setAttribute("aria-label", DEFAULT_DISMISS);
  onActivate(button, onClick);
  return button;
}

function createCoupon(code: string, onCopy: () => void): HTMLElement {
  const button = element("button", "coupon", code);
  button.type = "button";
  const copy = () => {
    getSelection()?.selectAllChildren(button);
    void navigator.clipboard?.writeText(code).then(
      () => button.classList.add("copied"),
      // The code is selected already, so the visitor can copy it by hand.
      () => undefined,
    );
    onCopy();
  };
  onActivate(button, copy);
  return button;
}

function createImage(url: string): HTMLElement {
  const image = element("img", "");
  image.alt = "";
  image.src = url;
  image.addEventListener("error", () => image.remove());
  return image;
}

function onActivate(target: HTMLElement, work: () => void): void {
  target.addEventListener("click", guarded(work));
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  text = "",
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  created.className = className;
  created.textContent = text;
  return created;
}
