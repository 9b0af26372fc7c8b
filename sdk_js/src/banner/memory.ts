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

/**
 * Lets the one tab that may show the banner do so; any other gets `lost`. A `take` that answers false has changed its
 * mind, and the banner counts as not shown.
 */
export function claim(id: string, take: () => boolean, lost: () => void): void {
  const decide = () => {
    if (wasShown(id)) return lost();
    if (!take()) return undefined;
    writeJson(KEY, [...remembered(), id].slice(-MAX_REMEMBERED));
    return new Promise<void>((release) => setTimeout(release, HOLD_MS));
  };
  // Absent outside secure contexts; storage alone then leaves a race of a few milliseconds.
  if (!navigator.locks) return void decide();
  const hold = (lock: Lock | null) => (lock ? decide() : lost());
  navigator.locks.request(`micromoment-banner-${id}`, { ifAvailable: true }, hold).catch(() => void decide());
}

function remembered(): string[] {
  const ids = readJson<unknown>(KEY);
  return Array.isArray(ids) ? (ids as string[]) : [];
}
