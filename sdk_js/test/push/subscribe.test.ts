import assert from "node:assert/strict";
import { inBrowser } from "../support/with-browser";
import type { Browser } from "../support/browser";
import { subscribe, type PushOptions } from "../../src/push/subscribe";

const KEY = "BPublic-key_1230";

/** What a browser that knows notifications has beyond jsdom. */
class Notifications {
  readonly said: unknown[][] = [];
  readonly tracked: unknown[][] = [];
  readonly registered: unknown[][] = [];
  readonly subscribedWith: unknown[] = [];
  visitor = "anna";
  unsubscribed = 0;
  known: { options: { applicationServerKey: ArrayBuffer }; unsubscribe: () => Promise<boolean> } | null = null;
  endpoint = "https://push.test/1";
  /** What becomes of a worker that must still be installed. */
  installs: "activated" | "redundant" | "already" = "already";

  constructor(browser: Browser) {
    const define = (name: string, value: unknown) =>
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    Object.defineProperty(browser.window.navigator, "serviceWorker", { value: { register: this.register } });
    define("fetch", async (url: string) => {
      assert.equal(url, "https://collector.test/v1/push/key");
      return new Response(JSON.stringify({ key: KEY }));
    });
  }

  private readonly register = async (path: string, options: unknown) => {
    this.registered.push([path, options]);
    const pushManager = {
      getSubscription: async () => this.known,
      subscribe: async (options: unknown) => {
        this.subscribedWith.push(options);
        return { toJSON: () => ({ endpoint: this.endpoint, keys: { p256dh: "P", auth: "A" } }) };
      },
    };
    if (this.installs === "already") return { active: {}, pushManager };
    const worker = Object.assign(new EventTarget(), { state: "installing" });
    setImmediate(() => {
      worker.state = this.installs;
      worker.dispatchEvent(new Event("statechange"));
    });
    return { active: null, installing: worker, pushManager };
  };

  async subscribes(
    permission: NotificationPermission | Promise<NotificationPermission> = "granted",
    options: PushOptions = {},
  ): Promise<void> {
    const surroundings = {
      collector: "https://collector.test",
      visitorId: () => this.visitor,
      track: (...values: unknown[]) => void this.tracked.push(values),
      say: (...values: unknown[]) => void this.said.push(values),
    };
    await subscribe(permission, surroundings, options);
  }
}

const EVENT = ["push_subscribed", { endpoint: "https://push.test/1", p256dh: "P", auth: "A" }];

inBrowser("subscribes with the collector's key and tells where notifications go", {}, async (browser) => {
  const notifications = new Notifications(browser);
  await notifications.subscribes();
  assert.deepEqual(notifications.registered, [
    ["/mm-push-worker.js", { scope: "https://shop.test/mm-push/" }],
  ]);
  assert.deepEqual(notifications.subscribedWith, [{ userVisibleOnly: true, applicationServerKey: KEY }]);
  assert.deepEqual(notifications.tracked, [EVENT]);
});

inBrowser("takes a service worker from where the shop has it", {}, async (browser) => {
  const notifications = new Notifications(browser);
  await notifications.subscribes("granted", { worker: "/assets/push.js" });
  assert.deepEqual(notifications.registered, [["/assets/push.js", { scope: "https://shop.test/assets/mm-push/" }]]);
});

inBrowser("tells once, and again when the address or the visitor is another", {}, async (browser) => {
  const notifications = new Notifications(browser);
  await notifications.subscribes();
  await notifications.subscribes();
  assert.equal(notifications.tracked.length, 1);
  notifications.endpoint = "https://push.test/2";
  await notifications.subscribes();
  notifications.visitor = "bob";
  await notifications.subscribes();
  assert.equal(notifications.tracked.length, 3);
});

inBrowser("asks for nothing more when the visitor says no", {}, async (browser) => {
  const notifications = new Notifications(browser);
  await notifications.subscribes(Promise.resolve("denied"));
  assert.deepEqual([notifications.registered, notifications.tracked], [[], []]);
  assert.deepEqual(notifications.said, [["notifications are not allowed:", "denied"]]);
});

inBrowser("renews a subscription that was made with another key, and keeps one with this key", {}, async (browser) => {
  const notifications = new Notifications(browser);
  const made = (letters: string) => ({
    options: { applicationServerKey: Uint8Array.from(letters, (letter) => letter.charCodeAt(0)).buffer },
    unsubscribe: async () => (notifications.unsubscribed += 1) > 0,
  });
  notifications.known = made("another key");
  await notifications.subscribes();
  assert.equal(notifications.unsubscribed, 1);
  notifications.known = made(atob(KEY.replace("-", "+").replace("_", "/")));
  await notifications.subscribes();
  assert.equal(notifications.unsubscribed, 1);
});

inBrowser("waits for a service worker that is still being installed", {}, async (browser) => {
  const notifications = new Notifications(browser);
  notifications.installs = "activated";
  await notifications.subscribes();
  assert.deepEqual(notifications.tracked, [EVENT]);
});

inBrowser("says what goes wrong and throws nothing into the page", {}, async (browser) => {
  const notifications = new Notifications(browser);
  notifications.installs = "redundant";
  await notifications.subscribes();
  await notifications.subscribes(Promise.reject(new Error("broken")));
  assert.deepEqual(
    notifications.said.map(([what, error]) => [what, (error as Error).message]),
    [
      ["no notifications here:", "the service worker cannot be installed"],
      ["no notifications here:", "broken"],
    ],
  );
  assert.deepEqual(notifications.tracked, []);
});
