/** Puts one banner on the page and tells what becomes of it. */

import { guarded, later } from "../base/guard";
import type { Banner } from "./banner";
import { createContent, TITLE_ID } from "./content";
import { keepFocus } from "./focus";
import type { DismissReason } from "./frame";
import { createHost } from "./host";
import { openModal } from "./modal";
import { openPanel } from "./panel";
import { applyTheme } from "./theme";

const VISIBLE_PART = 0.5;
/** Where a key means something to what the visitor is writing. */
const WRITABLE = "input,textarea,select,[contenteditable]";

export interface BannerEvents {
  /** It can be seen; told once. */
  shown(): void;
  /** The visitor took up the offer. */
  clicked(reason?: "coupon"): void;
  dismissed(reason: DismissReason): void;
  /** It is off the page, however it came to that. */
  closed(): void;
}

export interface ShownBanner {
  banner: Banner;
  host: HTMLElement;
  /** Takes it away with a report. */
  dismiss(reason: DismissReason): void;
  /** Takes it away without one. */
  close(): void;
}

/** Shows a banner, an inline one in or beside `slot`. */
export function showBanner(banner: Banner, slot: Element, nonce: string, events: BannerEvents): ShownBanner {
  const { host, root } = createHost(banner, nonce);
  const isModal = banner.form === "modal";
  const box = createBox(isModal, banner);
  const giveFocusBack = keepFocus(root);
  const ending = new AbortController();

  const close = () => {
    if (ending.signal.aborted) return;
    ending.abort();
    (box as HTMLDialogElement).close?.();
    giveFocusBack();
    host.remove();
    events.closed();
  };
  const dismiss = (reason: DismissReason) => {
    if (!ending.signal.aborted) events.dismissed(reason);
    close();
  };
  const content = createContent(banner, {
    onCoupon: () => events.clicked("coupon"),
    onDismiss: () => dismiss("button"),
    // Not while the banner is still being built.
    onCountdownEnd: () => later(() => dismiss("countdown"), 0),
    onCta() {
      events.clicked();
      // A link that left the document could not be followed any more.
      later(close, 0);
    },
  });
  whenEscaped(host, banner, ending.signal, () => dismiss("escape"));
  slot[banner.place](host);
  if (isModal) openModal({ root, content, box, dismiss });
  else openPanel({ root, content, box, dismiss }, banner);
  whenVisible(content, guarded(events.shown));
  return { banner, host, dismiss, close };
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

/** Calls back on Escape: in the banner, or on the page beneath one that covers it, unless the visitor is writing. */
function whenEscaped(host: HTMLElement, { form }: Banner, signal: AbortSignal, work: () => void): void {
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as Element;
    const isMeant = host.contains(target) || (form !== "inline" && !target.closest?.(WRITABLE));
    if (event.key === "Escape" && !event.defaultPrevented && isMeant) work();
  };
  document.addEventListener("keydown", guarded(onKey), { signal });
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
