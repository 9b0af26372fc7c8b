/** Gets messages to the collector at least once; it drops the repeats by message id. */

import { guarded, later, listen } from "../base/guard";
import { log, warn } from "../base/log";
import type { BatchContext, BatchReply, Fault, Message } from "../types";
import { backoffMs } from "./backoff";
import { batchBody, byteLength, nextBatch } from "./batch";
import type { Entry, Outbox } from "./outbox";
import type { Outcome, Transport } from "./transport";

/** Larger ones are a mistake of the page, and a browser would not carry them past its end. */
const MAX_MESSAGE_BYTES = 32 * 1024;
const FULL_BATCH = 20;
const RELAXED_MS = 1000;
/** The least time between two requests, which one of a burst waits for. */
const URGENT_MS = 250;
/** Lets what one action causes travel together. */
const TOGETHER_MS = 20;

/** Behaviour that comes often and decides little on its own. */
const RELAXED_EVENTS = new Set(["click", "scroll", "form_start"]);

export interface Delivery {
  push(message: Message): void;
  /** Begins to follow the page's life; call it after every capture, so that their last events are known. */
  start(): void;
  /** Sends by beacon whatever waits, since the page may be gone in a moment. */
  sendBeforeLeaving(): void;
}

interface Options {
  writeKey: string;
  outbox: Outbox;
  transport: Transport;
  context: () => BatchContext;
  /** What proves that the anonymous id of the latest message is this browser's. */
  secret: () => string;
  /** Told each answer, with the anonymous id whose messages it answers. */
  onReply: (reply: BatchReply, owner: string) => void;
}

export function createDelivery({ writeKey, outbox, transport, context, secret, onReply }: Options): Delivery {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueMs = Infinity;
  let lastSendMs = 0;
  let attempt = 0;
  let pausedUntilMs = 0;
  let sending: readonly Entry[] = [];
  let beaconed: readonly Entry[] = [];

  const schedule = (delayMs: number) => {
    const now = Date.now();
    const wanted = Math.max(now + delayMs, pausedUntilMs);
    if (wanted >= dueMs) return;
    clearTimeout(timer);
    dueMs = wanted;
    timer = later(flush, wanted - now);
  };
  const urgentDelay = () => Math.max(TOGETHER_MS, lastSendMs + URGENT_MS - Date.now());
  const body = (batch: readonly Entry[]) => batchBody(writeKey, context(), batch, Date.now());

  function flush(): void {
    clearTimeout(timer);
    dueMs = Infinity;
    if (sending.length || !outbox.entries().length) return;
    sending = nextBatch(outbox.entries());
    lastSendMs = Date.now();
    const settled = guarded((outcome: Outcome) => {
      const batch = sending;
      sending = [];
      settle(outcome, batch);
    });
    void transport.send(body(sending)).then(settled);
  }

  function settle(outcome: Outcome, batch: readonly Entry[]): void {
    log("sent", batch.length, outcome);
    if (outcome.kind === "failed") {
      const waitMs = backoffMs(++attempt, outcome.retryAfterMs, Math.random());
      pausedUntilMs = Date.now() + waitMs;
      outbox.touch();
      schedule(waitMs);
      return;
    }
    if (outcome.kind === "refused") warn(`the collector refused ${batch.length} events: HTTP ${outcome.status}`);
    attempt = pausedUntilMs = 0;
    outbox.remove(batch);
    beaconed = [];
    if (outbox.entries().length) schedule(urgentDelay());
    if (outcome.kind !== "accepted") return;
    tell("not kept", outcome.reply.dropped, batch);
    tell("not kept as it was sent", outcome.reply.warnings, batch);
    onReply(outcome.reply, batch[0]?.owner ?? "");
  }

  /** Says in the console, in debug mode, what is wrong with which messages. */
  function tell(what: string, faults: readonly Fault[] = [], batch: readonly Entry[]): void {
    faults.forEach(({ messageId, reason, detail }) => {
      log(`${what}: ${reason}`, detail, batch.find((entry) => entry.id === messageId)?.json);
    });
  }

  function sendBeforeLeaving(): void {
    let waiting = outbox.entries().filter((entry) => !sending.includes(entry) && !beaconed.includes(entry));
    while (waiting.length) {
      const batch = nextBatch(waiting);
      if (!transport.beacon(body(batch))) break;
      beaconed = [...beaconed, ...batch];
      waiting = waiting.slice(batch.length);
    }
  }

  function start(): void {
    listen(window, "pagehide", () => {
      sendBeforeLeaving();
      outbox.leave();
    });
    listen<PageTransitionEvent>(window, "pageshow", (event) => {
      if (event.persisted) outbox.resume();
    });
    listen(document, "visibilitychange", () => {
      if (document.hidden) sendBeforeLeaving();
      else schedule(urgentDelay());
    });
    listen(window, "online", () => {
      pausedUntilMs = 0;
      schedule(TOGETHER_MS);
    });
    outbox.adopt(Date.now());
    if (outbox.entries().length) schedule(URGENT_MS);
  }

  return {
    start,
    sendBeforeLeaving,
    push(message) {
      const json = JSON.stringify(message);
      if (byteLength(json) > MAX_MESSAGE_BYTES) return warn(`${message.event} is too large and was dropped`);
      outbox.add({ id: message.messageId, owner: message.anonymousId, secret: secret(), json });
      const isRelaxed = RELAXED_EVENTS.has(message.event ?? "") && outbox.entries().length < FULL_BATCH;
      schedule(isRelaxed ? RELAXED_MS : urgentDelay());
    },
  };
}
