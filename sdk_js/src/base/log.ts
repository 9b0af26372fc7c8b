/** Tells the developer what the SDK does, once asked to. */

let enabled = false;

export function setDebug(on: boolean): void {
  enabled = on;
}

export function log(...details: unknown[]): void {
  if (enabled) console.info("[micromoment]", ...details);
}

/** Says something that an operator must know even without debugging. */
export function warn(...details: unknown[]): void {
  console.warn("[micromoment]", ...details);
}
