/** SHA-256 (FIPS 180-4), since browsers offer theirs only asynchronously, and on secure pages only. */

/** The longest text that is one block, in bytes; what the SDK hashes is shorter. */
const MAX_LENGTH = 55;
const WORD = 2 ** 32;

/** The hash of an ASCII text of at most `MAX_LENGTH` characters, in hexadecimal. */
export function sha256(text: string): string {
  const [start, constants] = rootsOfPrimes();
  const words = blockOf(text.slice(0, MAX_LENGTH));
  let [a, b, c, d, e, f, g, h] = start as [number, number, number, number, number, number, number, number];
  constants.forEach((constant, round) => {
    const first = h + mix(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + constant + at(words, round);
    const second = mix(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  });
  return [a, b, c, d, e, f, g, h].map((word, index) => hexadecimal(word + at(start, index))).join("");
}

/** The padded block, and the words that follow from it. */
function blockOf(text: string): number[] {
  const words = new Array<number>(64).fill(0);
  [...text, "\x80"].forEach((character, index) => {
    words[index >> 2] = at(words, index >> 2) | (character.charCodeAt(0) << (24 - 8 * (index & 3)));
  });
  words[15] = text.length * 8;
  for (let index = 16; index < 64; index++) {
    const early = at(words, index - 15);
    const late = at(words, index - 2);
    words[index] =
      (at(words, index - 16) +
        (turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)) +
        at(words, index - 7) +
        (turn(late, 17) ^ turn(late, 19) ^ (late >>> 10))) |
      0;
  }
  return words;
}

/** The standard's numbers: fractions of the square roots of eight primes, and of the cube roots of sixty-four. */
function rootsOfPrimes(): [start: number[], constants: number[]] {
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  const fraction = (root: number) => ((root % 1) * WORD) | 0;
  return [primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))), primes.map((p) => fraction(Math.cbrt(p)))];
}

function at(words: readonly number[], index: number): number {
  return words[index] ?? 0;
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function mix(word: number, one: number, two: number, three: number): number {
  return turn(word, one) ^ turn(word, two) ^ turn(word, three);
}

function hexadecimal(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
