/** Who the visitor is: an id per browser that only its secret proves, and the shop's own id once it says so. */

import { textOf } from "../base/read";
import { sha256 } from "../base/sha256";
import { read, remove, write } from "../base/storage";
import { hexadecimal } from "../base/uuid";

const ANONYMOUS = "anonymous_id";
/** What the collector believes this browser by; it is sent in bodies only, and never in an address. */
const SECRET = "secret";
const USER = "user_id";
const SIGNATURE = "user_hash";
const SECRET_BYTES = 16;

export interface Identity {
  anonymousId(): string;
  /** What proves that `anonymousId` is this browser's. */
  secret(): string;
  userId(): string | undefined;
  /** The shop's signature of `userId`. */
  userHash(): string | undefined;
  /** Takes on the shop's id; another person's than before also starts a new anonymous id. */
  identify(userId: unknown, userHash?: unknown): void;
  /** Becomes nobody in particular: the next anonymous id is a new one. */
  forget(): void;
}

/** Reads storage on each question, since another tab may have identified or reset meanwhile. */
export function createIdentity(): Identity {
  /** The latest id and secret that belong together, so that each pair is worked out once. */
  let known: string[] = [];
  const userId = () => read(USER);
  const forget = () => [ANONYMOUS, SECRET, USER, SIGNATURE].forEach(remove);

  /** The stored pair, or a new one: an id of an earlier version, which has no secret, is nobody's to prove. */
  function pair(): string[] {
    const [id = "", secret = ""] = [read(ANONYMOUS), read(SECRET)];
    if (id === known[0] && secret === known[1]) return known;
    known = [id, secret];
    if (!secret || browserId(madeAtMs(id), secret) !== id) {
      const made = [...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))].map(hexadecimal).join("");
      known = [browserId(Date.now(), made), made];
      write(SECRET, made);
      write(ANONYMOUS, known[0] as string);
    }
    return known;
  }
  return {
    userId,
    forget,
    userHash: () => read(SIGNATURE),
    anonymousId: () => pair()[0] as string,
    secret: () => pair()[1] as string,
    identify(id, userHash) {
      const next = textOf(id);
      if (!next) return;
      if (userId() && userId() !== next) forget();
      write(USER, next);
      if (textOf(userHash)) write(SIGNATURE, textOf(userHash));
    },
  };
}

/** A UUID of version 8: the instant of its making, and the beginning of a hash of that and the secret. */
export function browserId(madeAtMs: number, secret: string): string {
  const time = madeAtMs.toString(16).padStart(12, "0");
  const digest = sha256(`${time}:${secret}`);
  return `${time.slice(0, 8)}-${time.slice(8)}-8${digest.slice(0, 3)}-8${digest.slice(3, 6)}-${digest.slice(6, 18)}`;
}

function madeAtMs(id: string): number {
  return parseInt(id.replace("-", "").slice(0, 12), 16) || 0;
}
