/** Which banners this browser has already shown, in whichever tab. */

import { readJson, writeJson } from "../base/storage";

const KEY = "banners";
const MAX_REMEMBERED = 100;
/** Long enough for the other tabs to see what this one wrote to storage. */
const HOLD_MS = 5000;

/** Whether this browser has shown the banner before. */
export function wasShown(id: string): boolean {
  return remembered().includes(id);
}

/** Calls back in the one tab that may show the banner; in any other, nothing happens. */
export function claim(id: string, show: () => void): void {
  const take = () => {
    if (wasShown(id)) return;
    writeJson(KEY, [...remembered(), id].slice(-MAX_REMEMBERED));
    show();
  };
  // Absent outside secure contexts; storage alone then leaves a race of a few milliseconds.
  if (!navigator.locks) return take();
  const hold = (lock: Lock | null) => {
    if (!lock) return undefined;
    take();
    return new Promise<void>((release) => setTimeout(release, HOLD_MS));
  };
  navigator.locks.request(`micromoment-banner-${id}`, { ifAvailable: true }, hold).catch(take);
}

function remembered(): string[] {
  const ids = readJson<unknown>(KEY);
  return Array.isArray(ids) ? (ids as string[]) : [];
}
