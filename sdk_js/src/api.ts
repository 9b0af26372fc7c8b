/** What a page can call: one function that takes commands, with a method for each. */

import { guarded } from "./base/guard";
import { log, setDebug } from "./base/log";
import type { PushOptions } from "./push/subscribe";
import type { ConsentState, Properties } from "./types";

export interface IdentifyOptions {
  /** HMAC-SHA256 of the user id by the site's identity secret, in hexadecimal; made by the shop's server. */
  hash?: string;
}

export interface Commands {
  /** Records an event; GA4's names are understood, any other is the shop's own. */
  track(event: string, properties?: Properties): void;
  /** Ties the visitor to the shop's own id, which the shop's server signs; null only adds traits. */
  identify(userId: string | number | null, traits?: Properties, options?: IdentifyOptions): void;
  /** Records a view of the current page; views are recorded by themselves, so few pages need this. */
  page(properties?: Properties): void;
  /** Forgets who the visitor is, as on a log-out. */
  reset(): void;
  /** Takes the visitor's answers; keys left out stay as they were. */
  consent(answer: ConsentState): void;
  /** Asks for notifications and subscribes to them; call it when the visitor clicks something that promises them. */
  push(options?: PushOptions): void;
  /** Whether to say on the console what happens. */
  debug(on: boolean): void;
}

type CommandName = keyof Commands;

export interface Micromoment extends Commands {
  (command: CommandName, ...values: unknown[]): void;
  readonly version: string;
}

/** What the pasted snippet leaves behind until the script has loaded. */
export interface Stub {
  (...values: unknown[]): void;
  q?: ArrayLike<unknown>[];
}

/** Wraps commands into the callable that pages use; no call of it ever throws. */
export function createApi(commands: Omit<Commands, "debug">, version: string): Micromoment {
  const all: Commands = { ...commands, debug: setDebug };
  const names = Object.keys(all) as CommandName[];
  const methods = Object.fromEntries(names.map((name) => [name, guarded(all[name] as (...values: unknown[]) => void)]));
  const call = (command: CommandName, ...values: unknown[]) => {
    const method = methods[command];
    if (method) method(...values);
    else log("unknown command", command);
  };
  return Object.assign(call, methods as unknown as Commands, { version });
}

/** A call as the stub kept it: the command's name and its values. */
export type QueuedCall = [command: CommandName, ...values: unknown[]];

const ABOUT_THE_VISITOR: readonly CommandName[] = ["reset", "identify", "consent"];

/** The calls that were made before the script had loaded, in their order. */
export function queuedCalls(stub: Stub | undefined): QueuedCall[] {
  return (stub?.q ?? []).map((call) => Array.from(call) as QueuedCall);
}

/** How many calls at the start only say who the visitor is, which holds for the page's view too. */
export function countAboutVisitor(calls: readonly QueuedCall[]): number {
  const count = calls.findIndex(([command]) => !ABOUT_THE_VISITOR.includes(command));
  return count < 0 ? calls.length : count;
}
