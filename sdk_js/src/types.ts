/** What travels between the SDK and the collector. */

export type Properties = Record<string, unknown>;

/** The page that an event happened on. */
export interface PageContext {
  path: string;
  url: string;
  title: string;
  referrer: string;
  type: string;
}

export interface Message {
  type: "track" | "page" | "identify";
  event?: string | undefined;
  messageId: string;
  anonymousId: string;
  userId?: string | undefined;
  /** When it happened by the browser's clock, ISO 8601; a re-send keeps it. */
  timestamp: string;
  properties: Properties;
  traits?: Properties | undefined;
  context: { sessionId: string; seq: number; page: PageContext; userHash?: string | undefined };
}

/** Sent once per batch; the collector merges it under each message's own context. */
export interface BatchContext {
  library: { name: string; version: string };
  locale: string;
  timezone: string;
  screen: { width: number; height: number };
  campaign?: Campaign | undefined;
  consent?: ConsentState | undefined;
}

/** The utm_* parameters that brought the session. */
export type Campaign = Record<"source" | "medium" | "name" | "term" | "content", string | undefined>;

/** What the visitor answered; an absent key means "not asked". */
export interface ConsentState {
  analytics?: boolean | undefined;
  marketing?: boolean | undefined;
  channels?: Record<string, boolean> | undefined;
}

/** What a page says about a product, in the collector's names. */
export interface Product {
  product_id: string;
  name?: string | undefined;
  price?: number | undefined;
  currency?: string | undefined;
  category?: string | undefined;
  image?: string | undefined;
  url?: string | undefined;
  /** As schema.org says it, such as `InStock`. */
  availability?: string | undefined;
}

/** What is wrong with a message, by the collector's word. */
export interface Fault {
  messageId: string;
  reason: string;
  detail?: string;
}

export interface BatchReply {
  token?: string;
  messages?: unknown[];
  dropped?: Fault[];
  /** What was kept, but not as it was sent. */
  warnings?: Fault[];
}
