/** A list of handlers that are told when something happens. */

import { guarded } from "./guard";

export interface Signal {
  on(handler: () => void): void;
  emit(): void;
}

/** Makes a signal; one handler's failure does not keep the others from being told. */
export function createSignal(): Signal {
  const handlers: (() => void)[] = [];
  return {
    on: (handler) => void handlers.push(guarded(handler)),
    emit: () => handlers.forEach((handler) => handler()),
  };
}
