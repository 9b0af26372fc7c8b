/** The banners that are on the page now. */

import type { ConsentState } from "../types";
import type { Banner } from "./banner";
import { isConsentedTo, isForPage } from "./conditions";
import { claim } from "./memory";
import type { Once } from "./once";
import { report } from "./report";
import { showBanner, type ShownBanner } from "./show";
import type { Surroundings } from "./surroundings";

/** The least time between two banners that cover the page. */
const GAP_MS = 3000;

export interface Stage {
  /**
   * Shows a banner in this tab, if it has not been shown in another; asking takes a moment, after which `place` says
   * where it still belongs. `settle` is told whether the banner is done with.
   */
  open(banner: Banner, place: () => Element | undefined, settle: (isDone: boolean) => void): void;
  isOpen(id: string): boolean;
  /** Whether an inline banner is in or beside the element already. */
  isTaken(slot: Element): boolean;
  /** Until when no other banner may cover the page; Infinity while one does. */
  coveredUntilMs(): number;
  /** Takes away what is not for the page at a path, or what the shop's own script removed. */
  turnPage(path: string): void;
  /** Takes away what the visitor no longer agrees to. */
  recheck(consent: ConsentState): void;
  clear(): void;
}

interface Options extends Pick<Surroundings, "track" | "sendNow" | "nonce"> {
  once: Once;
  onClosed: () => void;
}

export function createStage({ track, sendNow, nonce, once, onClosed }: Options): Stage {
  let open: (ShownBanner & { slot: Element })[] = [];
  let lastClosedMs = -Infinity;

  const show = (banner: Banner, slot: Element) => {
    const tell = (event: string, reason?: string) => report({ track }, banner, event, reason);
    const seen = () => {
      once.remember(banner);
      tell("message_shown");
      return true;
    };
    const shown = showBanner(banner, slot, nonce, {
      // One in the page counts once it is seen, which may be in another tab first; the others were claimed before.
      shown: () => (banner.form === "inline" ? claim(banner.id, seen, () => shown.close()) : seen()),
      dismissed: (reason) => tell("message_dismissed", reason),
      clicked(reason) {
        tell("message_clicked", reason);
        sendNow();
      },
      closed() {
        open = open.filter((other) => other.banner !== banner);
        if (banner.form !== "inline") lastClosedMs = Date.now();
        onClosed();
      },
    });
    open.push({ ...shown, slot });
  };
  const showAtPlace = (banner: Banner, place: () => Element | undefined): boolean => {
    const slot = place();
    if (slot) show(banner, slot);
    return !!slot;
  };
  return {
    open(banner, place, settle) {
      if (banner.form === "inline") return settle(showAtPlace(banner, place));
      const take = () => {
        const isShown = showAtPlace(banner, place);
        settle(isShown);
        return isShown;
      };
      claim(banner.id, take, () => settle(true));
    },
    isOpen: (id) => open.some(({ banner }) => banner.id === id),
    isTaken: (slot) => open.some((other) => other.slot === slot),
    coveredUntilMs: () => (open.some(({ banner }) => banner.form !== "inline") ? Infinity : lastClosedMs + GAP_MS),
    turnPage(path) {
      for (const { banner, host, dismiss } of open) {
        if (!host.isConnected || !isForPage(banner.conditions, path)) dismiss("navigation");
      }
    },
    recheck(consent) {
      for (const { banner, dismiss } of open) if (!isConsentedTo(banner, consent)) dismiss("no_consent");
    },
    clear: () => open.forEach(({ close }) => close()),
  };
}
