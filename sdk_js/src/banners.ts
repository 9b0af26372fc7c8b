/** Banners on their way to the part that shows them, which is loaded once the page has settled. */

import { guarded, later } from "./base/guard";
import { warn } from "./base/log";
import type { BannerQueue } from "./banner/queue";
import type { Surroundings } from "./banner/surroundings";
import type { LoadPart } from "./parts";

/** Most that are kept for a part that is slow, or never comes. */
const MAX_WAITING = 10;

export interface Banners {
  /** Takes what the collector sent, to be shown as soon as it may be. */
  take(data: unknown): void;
  /** Takes away what is on the screen and what waits. */
  clear(): void;
  /** Takes away what the visitor no longer agrees to. */
  recheck(): void;
  /** Loads the part when the browser has nothing else to do, so that no banner has to wait for it. */
  prepare(): void;
}

export function createBanners(loadPart: LoadPart, surroundings: Surroundings): Banners {
  let queue: BannerQueue | undefined;
  let waiting: unknown[] = [];
  let isAsked = false;

  const load = () => {
    if (isAsked) return;
    isAsked = true;
    void loadPart("banner").then(
      guarded((part) => {
        queue = part.createBannerQueue(surroundings);
        waiting.forEach(queue.offer);
        waiting = [];
      }),
      // The collector offers to the next page what this one has not shown.
      (error: unknown) => warn("no banner can be shown: mm-banner.js did not load", error),
    );
  };
  return {
    take(data) {
      if (queue) return queue.offer(data);
      if (waiting.length < MAX_WAITING) waiting.push(data);
      load();
    },
    clear() {
      waiting = [];
      queue?.clear();
    },
    recheck: () => queue?.recheck(),
    prepare() {
      if ("requestIdleCallback" in window) requestIdleCallback(load);
      else later(load, 0);
    },
  };
}
