/** The time that is left of an offer. */

import { later } from "../base/guard";
import { numberOf, textOf } from "../base/read";
import { element } from "./element";

const SECOND_MS = 1000;

export interface CountdownSettings {
  /** What runs out; empty for none. */
  label: string;
  /** The instant of its end for a banner that is shown at `nowMs`, in milliseconds since the epoch. */
  endMs(nowMs: number): number;
}

/** Reads a countdown: to an instant, or of a duration that begins when the banner is shown. */
export function readCountdown(fields: Record<string, unknown>): CountdownSettings | undefined {
  const label = textOf(fields["label"]);
  const until = Date.parse(textOf(fields["until"]));
  if (until) return { label, endMs: () => until };
  const lastsMs = numberOf(fields["for_ms"]);
  return lastsMs ? { label, endMs: (nowMs) => nowMs + lastsMs } : undefined;
}

/**
 * Makes the clock, which ticks as long as it is in the page. Its role is `timer`, which is read when it is asked for
 * but not announced at each tick.
 */
export function createCountdown({ label, endMs }: CountdownSettings, onEnd: () => void): HTMLElement {
  const end = endMs(Date.now());
  const clock = element("span", "clock");
  clock.setAttribute("role", "timer");
  clock.setAttribute("aria-live", "off");
  const line = element("p", "countdown", label && `${label} `);
  line.append(clock);

  const tick = () => {
    const leftMs = end - Date.now();
    clock.textContent = formatLeft(leftMs);
    if (leftMs <= 0) onEnd();
    else later(() => line.isConnected && tick(), leftMs % SECOND_MS || SECOND_MS);
  };
  tick();
  return line;
}

/** Hours, minutes and seconds, which every language writes alike: `4:05`, `26:04:05`. */
export function formatLeft(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, index) => (index ? `${part}`.padStart(2, "0") : part)).join(":");
}
