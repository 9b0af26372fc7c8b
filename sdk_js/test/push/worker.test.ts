import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";

type Listener = (event: Record<string, unknown>) => void;

const PAYLOAD = {
  title: "Tent is back",
  text: "Only today",
  icon: "/icon.png",
  url: "/p/tent",
  tag: "message-1",
  report: "https://collector.test/v1/callbacks/push/token",
};

/** The built service worker in surroundings of its own. */
class Worker {
  readonly shown: unknown[][] = [];
  readonly requests: unknown[][] = [];
  readonly opened: string[] = [];
  readonly focused: string[] = [];
  tabs: string[] = [];
  collectorIsAway = false;
  private readonly listeners: Record<string, Listener> = {};

  constructor() {
    const self = {
      addEventListener: (type: string, listener: Listener) => (this.listeners[type] = listener),
      skipWaiting: async () => undefined,
      registration: { showNotification: async (...values: unknown[]) => void this.shown.push(values) },
      clients: {
        matchAll: async () => this.tabs.map((url) => ({ url, focus: async () => void this.focused.push(url) })),
        openWindow: async (url: string) => void this.opened.push(url),
      },
    };
    const fetch = async (...values: unknown[]) => {
      this.requests.push(values);
      if (this.collectorIsAway) throw new TypeError("failed to fetch");
    };
    const surroundings = createContext({ self, fetch, URL, location: { origin: "https://shop.test" } });
    runInContext(readFileSync("dist/mm-push-worker.js", "utf8"), surroundings);
  }

  /** Dispatches an event and waits for what the worker asks to be waited for. */
  async fire(type: string, event: Record<string, unknown> = {}): Promise<void> {
    const work: Promise<unknown>[] = [];
    this.listeners[type]?.({ ...event, waitUntil: (one: Promise<unknown>) => void work.push(one) });
    assert.equal(work.length, 1, type);
    await Promise.all(work);
  }

  async push(payload: unknown = PAYLOAD): Promise<void> {
    await this.fire("push", { data: { json: () => payload } });
  }

  /** Whom it told what. */
  reports(): unknown[] {
    return this.requests.map(([url]) => url);
  }
}

function notification(data: unknown = PAYLOAD): { closed: number; close: () => void; data: unknown } {
  const made = { closed: 0, data, close: () => void (made.closed += 1) };
  return made;
}

void test("shows what was pushed, and says that it did", async () => {
  const worker = new Worker();
  await worker.push();
  const [[title, options] = []] = worker.shown;
  assert.equal(title, "Tent is back");
  assert.deepEqual({ ...(options as object) }, { body: "Only today", tag: "message-1", icon: "/icon.png", data: PAYLOAD });
  assert.deepEqual(worker.reports(), ["https://collector.test/v1/callbacks/push/token?event=shown"]);
});

void test("shows a notification though nobody can be told", async () => {
  const worker = new Worker();
  worker.collectorIsAway = true;
  await worker.push({ title: "Bare", tag: "m", report: "https://collector.test/x" });
  assert.equal(worker.shown.length, 1);
});

for (const [url, led] of [
  ["/p/tent", "https://shop.test/p/tent"],
  ["https://other.test/x", "https://other.test/x"],
  ["", "https://shop.test/"],
  ["javascript:alert(1)", "https://shop.test"],
]) {
  void test(`a click on a notification about ${url || "nothing"} leads to ${led}`, async () => {
    const worker = new Worker();
    const clicked = notification({ ...PAYLOAD, url });
    await worker.fire("notificationclick", { notification: clicked });
    assert.deepEqual([worker.opened, clicked.closed], [[led], 1]);
    assert.deepEqual(worker.reports(), ["https://collector.test/v1/callbacks/push/token?event=clicked"]);
  });
}

void test("a click shows the tab that is there already", async () => {
  const worker = new Worker();
  worker.tabs = ["https://shop.test/", "https://shop.test/p/tent"];
  await worker.fire("notificationclick", { notification: notification() });
  assert.deepEqual([worker.focused, worker.opened], [["https://shop.test/p/tent"], []]);
});

void test("says that a notification was put away", async () => {
  const worker = new Worker();
  await worker.fire("notificationclose", { notification: notification() });
  assert.deepEqual(worker.reports(), ["https://collector.test/v1/callbacks/push/token?event=dismissed"]);
});

void test("says nothing of a visitor who may not be observed", async () => {
  const worker = new Worker();
  await worker.push({ title: "Quiet", tag: "m" });
  await worker.fire("notificationclick", { notification: notification({ title: "Quiet", tag: "m" }) });
  assert.deepEqual([worker.shown.length, worker.opened.length, worker.requests.length], [1, 1, 0]);
});

void test("takes the place of an older worker at once", async () => {
  await new Worker().fire("install");
});
