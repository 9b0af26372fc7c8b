/** Keeps the SDK's own failures out of the page. */

import { log } from "./log";

/** Wraps work so that whatever it throws is logged and goes no further. */
export function guarded<Arguments extends unknown[]>(
  work: (...values: Arguments) => void,
): (...values: Arguments) => void {
  return (...values) => {
    try {
      work(...values);
    } catch (error) {
      log("failed", error);
    }
  };
}

/** Listens without ever blocking the page: passive, in the capture phase, guarded. `types` are space-separated. */
export function listen<Kind extends Event = Event>(
  target: EventTarget,
  types: string,
  handler: (event: Kind) => void,
): void {
  for (const type of types.split(" ")) {
    target.addEventListener(type, guarded(handler) as EventListener, { capture: true, passive: true });
  }
}

/** Like `setTimeout`, guarded. */
export function later(work: () => void, delayMs: number): ReturnType<typeof setTimeout> {
  return setTimeout(guarded(work), delayMs);
}
