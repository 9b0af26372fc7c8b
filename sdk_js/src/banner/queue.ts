/** Shows the banners that arrive: one at a time, each once per browser, each when its conditions hold. */

import { later, listen } from "../base/guard";
import { log, logTo } from "../base/log";
import { readBanner } from "./banner";
import { wasShown } from "./memory";
import { createOnce } from "./once";
import { watchPage } from "./page-facts";
import { readinessOf, type Readiness, type Waiting } from "./readiness";
import { reportFailure } from "./report";
import { findSlot, watchForSlots } from "./slots";
import { createStage } from "./stage";
import type { Surroundings } from "./surroundings";

const MAX_WAITING = 10;
/** The longest that a browser's timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface BannerQueue {
  /** Takes what the collector sent; anything that is not a fresh banner is ignored. */
  offer(data: unknown): void;
  /** Takes away what the visitor no longer agrees to. */
  recheck(): void;
  /** Takes away what is on the screen and what waits. */
  clear(): void;
}

export function createBannerQueue(surroundings: Surroundings): BannerQueue {
  logTo(surroundings.say);
  const once = createOnce(surroundings.sessionId);
  const stage = createStage({ ...surroundings, once, onClosed: () => lookAround() });
  let waiting: Waiting[] = [];
  let isOpening = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  surroundings.onNavigate(() => {
    once.turnPage();
    stage.turnPage(location.pathname);
  });
  const page = watchPage(surroundings.onNavigate, () => lookAround());
  const lookForSlots = watchForSlots(() => lookAround());
  const slot = (selector: string) => findSlot(selector, stage.isTaken);
  const weigh = (item: Waiting): Readiness =>
    readinessOf(
      item,
      { page, once, slot, consent: surroundings.consent(), coveredUntilMs: stage.coveredUntilMs() },
      Date.now(),
    );

  const drop = (item: Waiting) => {
    waiting = waiting.filter((other) => other !== item);
  };
  const show = (item: Waiting) => {
    isOpening = true;
    const place = () => {
      const readiness = waiting.includes(item) && !document.hidden ? weigh(item) : undefined;
      return readiness && "at" in readiness ? readiness.at : undefined;
    };
    stage.open(item.banner, place, (isDone) => {
      isOpening = false;
      if (isDone) drop(item);
      later(lookAround, 0);
    });
  };
  /** Shows what may be shown, gives up what never will be, and comes back when time alone can change that. */
  function lookAround(): void {
    clearTimeout(timer);
    if (document.hidden) return;
    waiting = waiting.filter(({ banner }) => !wasShown(banner.id));
    let nextMs = Infinity;
    let lacksSlot = false;
    for (const item of waiting) {
      if (isOpening) return;
      const readiness = weigh(item);
      if ("at" in readiness) show(item);
      else if ("never" in readiness) {
        drop(item);
        reportFailure(surroundings, item.banner, readiness.never);
      } else {
        nextMs = Math.min(nextMs, readiness.untilMs);
        lacksSlot ||= !!readiness.lacksSlot;
      }
    }
    lookForSlots(lacksSlot);
    if (nextMs < Infinity) timer = later(lookAround, Math.min(nextMs - Date.now(), MAX_TIMER_MS));
  }
  listen(document, "visibilitychange", () => lookAround());

  return {
    offer(data) {
      const banner = readBanner(data);
      if (!banner || waiting.length >= MAX_WAITING || stage.isOpen(banner.id)) return;
      if (waiting.some((other) => other.banner.id === banner.id)) return;
      log("banner", banner);
      waiting.push({ banner, arrivedMs: Date.now() });
      lookAround();
    },
    recheck() {
      stage.recheck(surroundings.consent());
      lookAround();
    },
    clear() {
      waiting = [];
      stage.clear();
    },
  };
}
