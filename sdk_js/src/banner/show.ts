/** Puts one banner on the page and tells what becomes of it. */

import { guarded, later } from "../base/guard";
import type { Banner } from "./banner";
import { createContent, TITLE_ID } from "./content";
import type { DismissReason } from "./frame";
import { createHost } from "./host";
import { openModal } from "./modal";
import { openPanel } from "./panel";
import { applyTheme } from "./theme";

const VISIBLE_PART = 0.5;

export interface BannerEvents {
  /** It can be seen; told once. */
  shown(): void;
  /** The visitor took up the offer. */
  clicked(reason?: "coupon"): void;
  dismissed(reason: DismissReason): void;
  /** It is off the page, however it came to that. */
  closed(): void;
}

/** Shows a banner; the returned function takes it away without a report. */
export function showBanner(banner: Banner, nonce: string, events: BannerEvents): () => void {
  const { host, root } = createHost(banner, nonce);
  let isOpen = true;

  const isModal = banner.form === "modal";
  const box = createBox(isModal, banner);

  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    (box as HTMLDialogElement).close?.();
    host.remove();
    events.closed();
  };
  const dismiss = (reason: DismissReason) => {
    if (isOpen) events.dismissed(reason);
    close();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") dismiss("escape");
  };
  const content = createContent(banner, {
    onCoupon: () => events.clicked("coupon"),
    onDismiss: () => dismiss("button"),
    onCta() {
      events.clicked();
      // A link that left the document could not be followed any more.
      later(close, 0);
    },
  });
  box.addEventListener("keydown", guarded(onKey));
  document.body.append(host);
  (isModal ? openModal : openPanel)({ root, content, box, dismiss });
  whenVisible(content, guarded(events.shown));
  return close;
}

/** The element that assistive technology meets: named by the title, styled by the form. */
function createBox(isModal: boolean, banner: Banner): HTMLElement {
  const box = document.createElement(isModal ? "dialog" : "div");
  box.setAttribute("role", isModal ? "dialog" : "region");
  box.setAttribute("aria-labelledby", TITLE_ID);
  box.className = `box ${banner.form}`;
  applyTheme(box, banner.theme);
  return box;
}

/** Calls back once at least half of the element is on the screen. */
function whenVisible(element: Element, work: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      work();
    },
    { threshold: VISIBLE_PART },
  );
  observer.observe(element);
}
