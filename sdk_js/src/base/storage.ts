/** Small texts that outlive the page: in localStorage, else in a cookie, else in this page's memory. */

const PREFIX = "mm_";
const YEAR_S = 31536000;
/** Cookies travel with every request, so only ids and answers may go there. */
const MAX_COOKIE = 200;
const memory = new Map<string, string>();
/** Asked for once, since the page stands still until the browser's other process answers. */
let cookies: string | undefined;

export function read(key: string): string | undefined {
  try {
    return memory.get(key) ?? localStorage.getItem(PREFIX + key) ?? readCookie(key);
  } catch {
    return memory.get(key) ?? readCookie(key);
  }
}

/** Keeps a text under a key. */
export function write(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
    if (value.length < MAX_COOKIE) writeCookie(key, value, YEAR_S);
  }
}

export function remove(key: string): void {
  memory.delete(key);
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // A store that cannot be reached holds nothing of ours.
  }
  if (readCookie(key)) writeCookie(key, "", 0);
}

/** The keys in localStorage, ours only, that start with `start`. */
export function keys(start: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + start))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}

/** Parses what is stored; undefined when it is absent or damaged. */
export function readJson<Value>(key: string): Value | undefined {
  try {
    return JSON.parse(read(key) ?? "") as Value;
  } catch {
    return undefined;
  }
}

export function writeJson(key: string, value: unknown): void {
  write(key, JSON.stringify(value));
}

function readCookie(key: string): string | undefined {
  cookies ??= document.cookie;
  const value = new RegExp(`(?:^|; )${PREFIX}${key}=([^;]+)`).exec(cookies)?.[1];
  return value && decodeURIComponent(value);
}

function writeCookie(key: string, value: string, maxAgeS: number): void {
  document.cookie = `${PREFIX}${key}=${encodeURIComponent(value)};path=/;max-age=${maxAgeS};SameSite=Lax`;
  cookies = undefined;
}
