/** Small texts that outlive the page: localStorage, or this page's memory where that is refused. */

const PREFIX = "mm_";
const memory = new Map<string, string>();

export function read(key: string): string | null {
  try {
    return memory.get(key) ?? localStorage.getItem(PREFIX + key);
  } catch {
    return memory.get(key) ?? null;
  }
}

/** Keeps a text under a key and says whether it will outlive the page. */
export function write(key: string, value: string): boolean {
  try {
    localStorage.setItem(PREFIX + key, value);
    memory.delete(key);
    return true;
  } catch {
    memory.set(key, value);
    return false;
  }
}

export function remove(key: string): void {
  memory.delete(key);
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // A store that cannot be reached holds nothing of ours.
  }
}

/** The stored keys, ours only, that start with `start`. */
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
    return (JSON.parse(read(key) ?? "null") as Value | null) ?? undefined;
  } catch {
    return undefined;
  }
}

export function writeJson(key: string, value: unknown): boolean {
  return write(key, JSON.stringify(value));
}
