/** Who the visitor is: a random id per browser, and the shop's own id once it says so. */

import { read, remove, write } from "../base/storage";
import { uuid } from "../base/uuid";

const ANONYMOUS = "anonymous_id";
const USER = "user_id";
const COOKIE = "mm_anonymous_id";
const YEAR_S = 31536000;
const MAX_USER_ID = 256;

export interface Identity {
  anonymousId(): string;
  userId(): string | undefined;
  /** Takes on the shop's id; another person's than before also starts a new anonymous id. */
  identify(userId: unknown): void;
  /** Becomes nobody in particular: the next anonymous id is a new one. */
  forget(): void;
}

/** Reads storage on each question, since another tab may have identified or reset meanwhile. */
export function createIdentity(): Identity {
  const anonymousId = () => read(ANONYMOUS) ?? readCookie() ?? keepAnonymousId(uuid());
  const userId = () => read(USER) ?? undefined;
  const forget = () => {
    remove(ANONYMOUS);
    remove(USER);
    writeCookie("", 0);
  };
  return {
    anonymousId,
    userId,
    forget,
    identify(id) {
      if (typeof id !== "string" && typeof id !== "number") return;
      const next = String(id).slice(0, MAX_USER_ID);
      if (!next) return;
      if (userId() !== undefined && userId() !== next) forget();
      write(USER, next);
    },
  };
}

function keepAnonymousId(id: string): string {
  if (!write(ANONYMOUS, id)) writeCookie(id, YEAR_S);
  return id;
}

function readCookie(): string | undefined {
  return new RegExp(`${COOKIE}=([\\w-]+)`).exec(document.cookie)?.[1];
}

function writeCookie(value: string, maxAgeS: number): void {
  const secure = location.protocol === "https:" ? ";Secure" : "";
  document.cookie = `${COOKIE}=${value};path=/;max-age=${maxAgeS};SameSite=Lax${secure}`;
}
