/** Entry of mm-push-worker.js: shows notifications, leads to what they are about, and says what became of them. */

/** What the collector's worker sends, encrypted for this browser. */
interface Payload {
  title: string;
  text?: string;
  icon?: string;
  image?: string;
  url?: string;
  /** The message's id: a repeat takes the place of what is shown. */
  tag: string;
  /** Where to say what became of it; absent of a visitor who may not be observed. */
  report?: string;
}

/** The parts of a service worker's surroundings that this one uses; the page's types do not have them. */
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface PushEvent extends Waiting {
  data: { json(): unknown } | null;
}
interface NotificationEvent extends Waiting {
  notification: Notification;
}
interface Tab {
  url: string;
  focus(): Promise<unknown>;
}
interface Surroundings {
  registration: ServiceWorkerRegistration;
  clients: {
    matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<Tab[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install", listener: (event: Waiting) => void): void;
  addEventListener(type: "push", listener: (event: PushEvent) => void): void;
  addEventListener(type: "notificationclick" | "notificationclose", listener: (event: NotificationEvent) => void): void;
}

const worker = self as unknown as Surroundings;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("push", (event) => event.waitUntil(show(event.data?.json() as Payload)));
worker.addEventListener("notificationclick", (event) => {
  const { notification } = event;
  notification.close();
  event.waitUntil(Promise.all([leadTo(addressOf(notification)), say(notification.data as Payload, "clicked")]));
});
worker.addEventListener("notificationclose", (event) => event.waitUntil(say(event.notification.data as Payload, "dismissed")));

function show(payload: Payload): Promise<unknown> {
  const { title, text = "", icon, image, tag } = payload;
  const options = { body: text, tag, data: payload, ...(icon && { icon }), ...(image && { image }) };
  return Promise.all([worker.registration.showNotification(title, options), say(payload, "shown")]);
}

/** Where a notification leads: the site's root unless it names an address of the web. */
function addressOf({ data }: Notification): string {
  const { href, protocol } = new URL((data as Payload).url || "/", location.origin);
  return /^https?:$/.test(protocol) ? href : location.origin;
}

/** Shows a tab that is there already, else opens one. */
async function leadTo(url: string): Promise<void> {
  const tabs = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find((candidate) => candidate.url === url);
  await (tab ? tab.focus() : worker.clients.openWindow(url));
}

/** A collector that is away misses it; the notification is more important. */
async function say({ report }: Payload, event: string): Promise<void> {
  if (!report) return;
  await fetch(`${report}?event=${event}`, { method: "POST", mode: "no-cors", keepalive: true }).catch(() => undefined);
}

export {};
