/** Shows the banners that arrive, one at a time, each once per browser. */

import { listen } from "../base/guard";
import { log } from "../base/log";
import type { Properties } from "../types";
import { readBanner, type Banner } from "./banner";
import { claim, wasShown } from "./memory";
import { showBanner } from "./show";

const MAX_WAITING = 10;

export interface BannerQueue {
  /** Takes what the collector sent; anything that is not a fresh banner is ignored. */
  offer(data: unknown): void;
  /** Takes away what is on the screen and what waits. */
  clear(): void;
}

interface Options {
  track: (event: string, properties: Properties) => void;
  /** Called when a click may leave the page at once. */
  beforeLeaving: () => void;
  nonce: string;
}

export function createBannerQueue({ track, beforeLeaving, nonce }: Options): BannerQueue {
  let waiting: Banner[] = [];
  let current: Banner | undefined;
  let takeAway: (() => void) | undefined;

  const showNext = () => {
    if (current || document.hidden) return;
    waiting = waiting.filter((banner) => banner.expiresAtMs > Date.now() && !wasShown(banner.id));
    const next = waiting[0];
    if (next) claim(next.id, () => show(next));
  };
  const show = (banner: Banner) => {
    if (current) return;
    waiting = waiting.filter((other) => other !== banner);
    current = banner;
    const report = (event: string, reason?: string) => {
      const { id, rule, variant } = banner;
      track(event, { message_id: id, rule, variant, channel: "banner", ...(reason && { reason }) });
    };
    takeAway = showBanner(banner, nonce, {
      shown: () => report("message_shown"),
      dismissed: (reason) => report("message_dismissed", reason),
      clicked(reason) {
        report("message_clicked", reason);
        beforeLeaving();
      },
      closed() {
        current = takeAway = undefined;
        showNext();
      },
    });
  };
  listen(document, "visibilitychange", showNext);

  return {
    offer(data) {
      const banner = readBanner(data);
      if (!banner || waiting.length >= MAX_WAITING) return;
      if (banner.id === current?.id || waiting.some((other) => other.id === banner.id)) return;
      log("banner", banner);
      waiting.push(banner);
      showNext();
    },
    clear() {
      waiting = [];
      takeAway?.();
    },
  };
}
