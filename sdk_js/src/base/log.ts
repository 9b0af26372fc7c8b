/** Tells the developer what the SDK does, once asked to. */

type Sink = (...details: unknown[]) => void;

const NOWHERE: Sink = () => undefined;
let sink = NOWHERE;

export function setDebug(on: boolean): void {
  logTo(on ? (...details) => console.info("[micromoment]", ...details) : NOWHERE);
}

/** Says everything to `next` from now on, as a part of the SDK does that has a log of its own in its file. */
export function logTo(next: Sink): void {
  if (next !== log) sink = next;
}

export function log(...details: unknown[]): void {
  sink(...details);
}

/** Says something that an operator must know even without debugging. */
export function warn(...details: unknown[]): void {
  console.warn("[micromoment]", ...details);
}
