/** Turns what happened into messages: who, when, where, and in which order. */

import { bounded } from "./base/bounded";
import { log } from "./base/log";
import { cut } from "./base/read";
import { uuid } from "./base/uuid";
import type { Message, PageContext, Properties } from "./types";
import type { Identity } from "./visitor/identity";
import type { Sessions } from "./visitor/session";

const MAX_NAME = 128;

export interface Tracker {
  /** Records an event by name. */
  track(event: string, properties?: Properties): void;
  /** Records a view of the current page; properties override what the page says of itself. */
  page(properties?: Properties): void;
  /** Ties the visitor to the shop's own id, signed by its server, or only adds traits when the id is null. */
  identify(userId: unknown, traits?: Properties, userHash?: unknown): void;
}

interface Options {
  identity: Identity;
  sessions: Sessions;
  /** Whether anything may be captured now. */
  granted: () => boolean;
  pageContext: () => PageContext;
  push: (message: Message) => void;
}

type Content = Pick<Message, "type" | "event" | "traits"> & { properties: Properties };

export function createTracker({ identity, sessions, granted, pageContext, push }: Options): Tracker {
  const pageProperties = (): Properties => {
    const { type, ...rest } = pageContext();
    return { ...rest, page_type: type };
  };
  const send = ({ type, event, traits, properties }: Content, nowMs: number) => {
    const { id, seq } = sessions.advance(nowMs);
    push({
      type,
      event,
      messageId: uuid(nowMs),
      anonymousId: identity.anonymousId(),
      userId: identity.userId(),
      timestamp: new Date(nowMs).toISOString(),
      properties: bounded(properties),
      traits: traits && bounded(traits),
      context: { sessionId: id, seq, page: pageContext(), userHash: identity.userHash() },
    });
    log(event ?? type, properties, traits ?? "");
  };
  const record = (content: Content) => {
    if (!granted()) return;
    const nowMs = Date.now();
    if (sessions.isOver(nowMs)) {
      send({ type: "track", event: "session_start", properties: pageProperties() }, nowMs);
    }
    send(content, nowMs);
  };
  return {
    track(event, properties = {}) {
      const name = cut(String(event).trim(), MAX_NAME);
      if (name) record({ type: "track", event: name, properties });
    },
    page: (properties) => record({ type: "page", properties: { ...pageProperties(), ...properties } }),
    identify(userId, traits = {}, userHash) {
      if (!granted()) return;
      identity.identify(userId, userHash);
      record({ type: "identify", traits, properties: {} });
    },
  };
}
