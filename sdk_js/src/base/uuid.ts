/** Time-ordered identifiers: UUID version 7 (RFC 9562) with a counter for those of one millisecond. */

const MAX_COUNTER = 0xfff;

let lastMs = 0;
let counter = 0;

/** Makes an identifier that sorts after every one made before it in this page. */
export function uuid(nowMs = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter > MAX_COUNTER) {
    lastMs++;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, "0");
  const version = (0x7000 + counter).toString(16);
  const random = [...crypto.getRandomValues(new Uint8Array(8))].map(hexadecimal).join("");
  // The variant's two bits are "10", so the digit after them may always be 8.
  return (time + version + 8 + random.slice(1)).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A byte as two digits. */
export function hexadecimal(byte: number): string {
  return (byte + 0x100).toString(16).slice(1);
}
