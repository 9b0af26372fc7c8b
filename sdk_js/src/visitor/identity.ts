/** Who the visitor is: a random id per browser, and the shop's own id once it says so. */

import { textOf } from "../base/read";
import { read, remove, write } from "../base/storage";
import { uuid } from "../base/uuid";

const ANONYMOUS = "anonymous_id";
const USER = "user_id";

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
  const userId = () => read(USER);
  const forget = () => {
    remove(ANONYMOUS);
    remove(USER);
  };
  return {
    userId,
    forget,
    anonymousId() {
      const known = read(ANONYMOUS);
      if (known) return known;
      const id = uuid();
      write(ANONYMOUS, id);
      return id;
    },
    identify(id) {
      const next = textOf(id);
      if (!next) return;
      if (userId() && userId() !== next) forget();
      write(USER, next);
    },
  };
}
