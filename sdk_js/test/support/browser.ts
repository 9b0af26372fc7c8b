/** A page of a shop in jsdom, with a collector that records what it is sent. */

import { mock } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import { JSDOM, type DOMWindow } from "jsdom";
import type { Micromoment, QueuedCall } from "../../src/api";
import * as banner from "../../src/banner/part";
import type { Configuration } from "../../src/config";
import { start } from "../../src/index";
import type { PartName, Parts } from "../../src/parts";
import * as push from "../../src/push/part";
import type { BatchContext, BatchReply, Message } from "../../src/types";
import { FakeObserver, FakeStream } from "./fakes";

export const START_MS = Date.parse("2026-11-22T10:00:00.000Z");

/** What jsdom has of a browser's global names; the SDK reads them when it runs, not when it is loaded. */
const GLOBALS =
  "window document location history navigator localStorage Element HTMLElement HTMLFormElement HTMLScriptElement " +
  "MutationObserver AbortController screen getSelection getComputedStyle requestAnimationFrame";

export interface Batch {
  writeKey: string;
  browserSecret: string;
  sentAt: string;
  context: BatchContext;
  batch: Message[];
}

export interface Answer {
  status: number;
  body: BatchReply;
  headers?: Record<string, string>;
}

interface Options {
  url?: string;
  head?: string;
  /** What earlier pages of the site have left in localStorage. */
  stored?: Record<string, string>;
  referrer?: string;
}

export class Browser {
  readonly window: DOMWindow;
  readonly requests: Batch[] = [];
  readonly beacons: Batch[] = [];
  /** The collector's answer to each request; throws to play a broken network. */
  answer: () => Answer = () => ({ status: 200, body: {} });
  /** How each part loads; tests play a network that is slow or broken. */
  parts: { [Name in PartName]: () => Promise<Parts[Name]> } = { banner: async () => banner, push: async () => push };
  private hidden = false;

  constructor(body: string, { url = "https://shop.test/", head = "", stored = {}, referrer = "" }: Options = {}) {
    const html = `<!doctype html><html><head><title>Shop</title>${head}</head><body>${body}</body></html>`;
    const dom = new JSDOM(html, { url, pretendToBeVisual: true, ...(referrer && { referrer }) });
    this.window = dom.window;
    for (const [key, value] of Object.entries(stored)) this.window.localStorage.setItem(key, value);
    for (const name of GLOBALS.split(" ")) setGlobal(name, this.window[name as keyof DOMWindow]);
    setGlobal("getSelection", () => this.window.getSelection());
    setGlobal("getComputedStyle", (element: Element) => this.window.getComputedStyle(element));
    setGlobal("requestAnimationFrame", (work: () => void) => setTimeout(work, 16));
    setGlobal("IntersectionObserver", FakeObserver);
    setGlobal("ResizeObserver", FakeObserver);
    setGlobal("CSS", { supports: (_property: string, value: string) => /^(#[\da-f]{3,8}|[a-z]+)$/i.test(value) });
    setGlobal("fetch", async (url: string, request: RequestInit & { body: string }) =>
      url.endsWith("/v1/stream") ? new FakeStream(url, request).response : this.receive(request.body),
    );
    Object.defineProperty(this.window.document, "hidden", { get: () => this.hidden });
    Object.defineProperty(this.window.document, "hasFocus", { value: () => true });
    this.window.navigator.sendBeacon = (_url, body) => this.beacons.push(JSON.parse(String(body)) as Batch) > 0;
    this.window.addEventListener("submit", (event) => event.preventDefault());
    this.window.addEventListener("click", (event) => {
      // jsdom cannot leave the page; what a link in the page does, it can.
      if ((event.target as Element).closest('a[href]:not([href^="#"])')) event.preventDefault();
    });
    FakeStream.opened = [];
    FakeStream.status = 200;
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: START_MS });
  }

  start(settings: Partial<Configuration> = {}, calls: QueuedCall[] = []): Micromoment {
    const configuration = { writeKey: "KEY", collector: "https://collector.test", optIn: false, nonce: "", ...settings };
    return start(configuration, (name) => this.parts[name](), calls);
  }

  /** Lets time pass, second by second, and with it the requests that become due. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      mock.timers.tick(Math.min(left, 250));
      await immediate();
      await immediate();
    }
  }

  /** What the collector knows: each message once, in the order of the session. */
  messages(name?: string): Message[] {
    const all = [...this.requests, ...this.beacons].flatMap((request) => request.batch);
    const unique = [...new Map(all.map((message) => [message.messageId, message])).values()];
    unique.sort((one, other) => one.messageId.localeCompare(other.messageId));
    return name ? unique.filter((message) => nameOf(message) === name) : unique;
  }

  names(): string[] {
    return this.messages().map(nameOf);
  }

  /** Dispatches an event as the browser would for what a visitor does. */
  fire(selector: string, type: string, fields: Record<string, unknown> = {}): void {
    const target = this.find(selector);
    const Kind = /^(click|pointer|mouse)/.test(type) ? this.window.MouseEvent : this.window.Event;
    const event = new Kind(type, { bubbles: true, cancelable: true, composed: true, ...fields });
    for (const [key, value] of Object.entries(fields)) {
      if (!(key in event) || key === "timeStamp") Object.defineProperty(event, key, { value });
    }
    target.dispatchEvent(event);
  }

  find(selector: string): HTMLElement {
    const found = this.window.document.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`the page has no ${selector}`);
    return found;
  }

  /** Tells the window of something that concerns the page as a whole. */
  fireWindow(type: string, fields: Record<string, unknown> = {}): void {
    const event = new this.window.Event(type);
    for (const [key, value] of Object.entries(fields)) Object.defineProperty(event, key, { value });
    this.window.dispatchEvent(event);
  }

  hide(hidden = true): void {
    this.hidden = hidden;
    this.window.document.dispatchEvent(new this.window.Event("visibilitychange", { bubbles: true }));
  }

  stored(): Record<string, string> {
    return { ...this.window.localStorage } as Record<string, string>;
  }

  close(): void {
    mock.timers.reset();
    this.window.close();
  }

  private async receive(body: string): Promise<Response> {
    const { status, body: reply, headers = {} } = this.answer();
    if (status === 200) this.requests.push(JSON.parse(body) as Batch);
    return new Response(JSON.stringify(reply), { status, headers });
  }
}

/** Page views and identities carry no event name of their own. */
export function nameOf(message: Message): string {
  return message.event ?? message.type;
}

function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
