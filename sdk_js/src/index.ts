/** Wires the parts together; everything below receives what it needs. */

import { countAboutVisitor, createApi, type Micromoment, type QueuedCall } from "./api";
import { createBanners } from "./banners";
import { log } from "./base/log";
import { keys, remove } from "./base/storage";
import { CAPTURES } from "./capture/all";
import type { Configuration } from "./config";
import { createContext, VERSION } from "./context";
import { createDelivery } from "./delivery/delivery";
import { createOutbox } from "./delivery/outbox";
import { createTransport } from "./delivery/transport";
import { createCatalog } from "./page/catalog";
import { createPage } from "./page/page";
import { createProductFinder } from "./page/product";
import type { LoadPart } from "./parts";
import { createStream } from "./stream";
import { createTracker } from "./tracker";
import type { BatchReply, ConsentState } from "./types";
import { createConsent } from "./visitor/consent";
import { createIdentity } from "./visitor/identity";
import { createSessions } from "./visitor/session";

/** Starts capturing, after what the queued calls say of the visitor and before what else they say. */
export function start(
  { writeKey, collector, optIn, nonce }: Configuration,
  loadPart: LoadPart,
  calls: readonly QueuedCall[] = [],
): Micromoment {
  const consent = createConsent(optIn);
  const identity = createIdentity();
  const sessions = createSessions();
  const catalog = createCatalog();
  const page = createPage(catalog);
  const outbox = createOutbox();
  const delivery = createDelivery({
    writeKey,
    outbox,
    transport: createTransport(collector),
    context: createContext(sessions, consent),
    secret: identity.secret,
    onReply: receive,
  });
  const { push } = delivery;
  const tracker = createTracker({ identity, sessions, granted: consent.granted, pageContext: page.context, push });
  const banners = createBanners(loadPart, {
    track: tracker.track,
    sendNow: delivery.sendBeforeLeaving,
    onNavigate: page.entered.on,
    sessionId: sessions.current,
    consent: () => consent.state() ?? {},
    say: log,
    nonce,
  });
  const stream = createStream(collector, banners.take);
  let isCapturing = false;

  /** Banners and the token are the visitor's whose messages were answered, who may no longer be this one. */
  function receive(reply: BatchReply, owner: string): void {
    if (!consent.granted() || owner !== identity.anonymousId()) return;
    if (reply.token) stream.useToken(reply.token);
    reply.messages?.forEach(banners.take);
    banners.prepare();
  }
  function forgetVisitor(): void {
    identity.forget();
    sessions.end();
    stream.close();
    banners.clear();
  }
  function observe(): void {
    outbox.persist();
    if (isCapturing) return tracker.page();
    isCapturing = true;
    page.entered.on(() => tracker.page());
    const surroundings = { track: tracker.track, page, catalog, products: createProductFinder(catalog) };
    CAPTURES.forEach((capture) => capture(surroundings));
    delivery.start();
    page.start();
  }
  function answerConsent(answer: ConsentState): void {
    const wasGranted = consent.granted();
    const isDenied = answer.analytics !== undefined && answer.analytics !== true;
    if (wasGranted && isDenied) {
      outbox.discard();
      tracker.track("consent", { ...answer });
    }
    const state = consent.update(answer);
    banners.recheck();
    if (!consent.granted()) {
      if (wasGranted) forgetVisitor();
      return forgetStored();
    }
    if (!wasGranted) observe();
    tracker.track("consent", { ...state });
  }
  const api = createApi(
    {
      track: tracker.track,
      page: tracker.page,
      consent: answerConsent,
      reset: forgetVisitor,
      push(options = {}) {
        if (!consent.granted()) return log("no notifications without consent");
        // Asked at once: the click that allows asking is soon forgotten, and the part may take its time.
        const permission = options.ask === false ? Notification.permission : Notification.requestPermission();
        const surroundings = { collector, visitorId: identity.anonymousId, track: tracker.track, say: log };
        void loadPart("push").then((part) => part.subscribe(permission, surroundings, options), log);
      },
      identify(userId, traits, options) {
        const before = identity.anonymousId();
        tracker.identify(userId, traits, options?.hash);
        if (identity.anonymousId() !== before) stream.close();
      },
    },
    VERSION,
  );
  const split = countAboutVisitor(calls);
  calls.slice(0, split).forEach((call) => api(...call));
  if (consent.granted() && !isCapturing) observe();
  calls.slice(split).forEach((call) => api(...call));
  return api;
}

/** Without consent only the answer itself is kept. */
function forgetStored(): void {
  for (const key of keys("")) if (key !== "consent") remove(key);
}
