/** Reads values whose type nobody vouches for. */

const MAX_TEXT = 1000;

/** An object's fields; none for anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value ? (value as Record<string, unknown>) : {};
}

/** The beginning of a text, of so many UTF-16 units at most; a character of two halves is never cut in between. */
export function cut(text: string, most: number): string {
  return text.slice(0, most).replace(/[\ud800-\udbff]$/, "");
}

/** A trimmed and bounded text, also of a number; empty for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? cut(String(value).trim(), MAX_TEXT) : "";
}

/** A finite number, or undefined; "1,299.00" reads as 1299. */
export function numberOf(value: unknown): number | undefined {
  const digits = textOf(value).replace(/,(?=\d{3}(\D|$))/g, "");
  return /^-?\d*\.?\d+$/.test(digits) ? Number(digits) : undefined;
}

/** The one of a few words that a value is; the first of them for anything else. */
export function oneOf<Word extends string>(words: readonly [Word, ...Word[]], value: unknown): Word {
  return words.find((word) => word === value) ?? words[0];
}
