/** Subscribes this browser to notifications and tells the collector where it gets them. */

import { read, write } from "../base/storage";
import type { Properties } from "../types";

export interface PushOptions {
  /** False to ask for nothing: only renews what the visitor has allowed before. */
  ask?: boolean;
  /** Where the shop hosts the service worker. */
  worker?: string;
}

export interface PushSurroundings {
  collector: string;
  visitorId: () => string;
  track: (event: string, properties?: Properties) => void;
  say: (...details: unknown[]) => void;
}

const WORKER = "/mm-push-worker.js";
/** A scope of our own beside the file, so that a service worker of the shop's keeps its place. */
const SCOPE = "mm-push/";
/** What was told last, and about whom: another visitor of this browser is told about again. */
const TOLD = "push";

/** Subscribes once the visitor has said yes; whatever goes wrong is said, and goes no further. */
export async function subscribe(
  permission: NotificationPermission | PromiseLike<NotificationPermission>,
  surroundings: PushSurroundings,
  options: PushOptions,
): Promise<void> {
  try {
    const answer = await permission;
    if (answer !== "granted") return surroundings.say("notifications are not allowed:", answer);
    const registration = await register(options.worker ?? WORKER);
    tell(await subscriptionOf(registration.pushManager, await publicKey(surroundings.collector)), surroundings);
  } catch (error) {
    surroundings.say("no notifications here:", error);
  }
}

async function register(path: string): Promise<ServiceWorkerRegistration> {
  const scope = new URL(SCOPE, new URL(path, location.href)).href;
  const registration = await navigator.serviceWorker.register(path, { scope });
  const worker = registration.installing ?? registration.waiting;
  if (!registration.active && worker) await activated(worker);
  return registration;
}

/** A worker that is still being installed cannot be subscribed. */
function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the service worker cannot be installed"));
    });
  });
}

async function publicKey(collector: string): Promise<string> {
  const response = await fetch(`${collector}/v1/push/key`);
  return ((await response.json()) as { key: string }).key;
}

/** Renews a subscription that was made with another key: pushes of ours would be refused there. */
async function subscriptionOf(manager: PushManager, key: string): Promise<PushSubscription> {
  const known = await manager.getSubscription();
  if (known && textOf(known.options.applicationServerKey) !== key) await known.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function tell(subscription: PushSubscription, { visitorId, track }: PushSurroundings): void {
  const { endpoint, keys } = subscription.toJSON();
  const told = JSON.stringify([visitorId(), endpoint, keys]);
  if (!endpoint || read(TOLD) === told) return;
  track("push_subscribed", { endpoint, ...keys });
  write(TOLD, told);
}

function textOf(key: ArrayBuffer | null): string {
  const letters = Array.from(new Uint8Array(key ?? []), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
