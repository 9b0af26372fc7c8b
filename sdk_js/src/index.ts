/** Wires the parts together; everything below receives what it needs. */

import { createApi, type Micromoment } from "./api";
import { createBannerQueue } from "./banner/queue";
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
import { createStream } from "./stream";
import { createTracker } from "./tracker";
import type { BatchReply, ConsentState } from "./types";
import { createConsent } from "./visitor/consent";
import { createIdentity } from "./visitor/identity";
import { createSessions } from "./visitor/session";

export function start({ writeKey, collector, optIn, nonce }: Configuration): Micromoment {
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
    onReply: receive,
  });
  const { push } = delivery;
  const tracker = createTracker({ identity, sessions, granted: consent.granted, pageContext: page.context, push });
  const banners = createBannerQueue({ track: tracker.track, beforeLeaving: delivery.sendBeforeLeaving, nonce });
  const stream = createStream(collector, banners.offer);
  let isCapturing = false;

  /** Banners and the token are the visitor's whose messages were answered, who may no longer be this one. */
  function receive(reply: BatchReply, owner: string): void {
    if (!consent.granted() || owner !== identity.anonymousId()) return;
    if (reply.token) stream.useToken(reply.token);
    reply.messages?.forEach(banners.offer);
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
    if (!consent.granted()) {
      if (wasGranted) forgetVisitor();
      return forgetStored();
    }
    if (!wasGranted) observe();
    tracker.track("consent", { ...state });
  }
  if (consent.granted()) observe();

  return createApi(
    {
      track: tracker.track,
      page: tracker.page,
      consent: answerConsent,
      reset: forgetVisitor,
      identify(userId, traits) {
        const before = identity.anonymousId();
        tracker.identify(userId, traits);
        if (identity.anonymousId() !== before) stream.close();
      },
    },
    VERSION,
  );
}

/** Without consent only the answer itself is kept. */
function forgetStored(): void {
  for (const key of keys("")) if (key !== "consent") remove(key);
}
