import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, fieldsOf, numberOf, textOf } from "../../src/base/read";

const NUMBERS: [given: unknown, expected: number | undefined][] = [
  [12, 12],
  ["12", 12],
  [" 12.50 ", 12.5],
  [".5", 0.5],
  ["-3", -3],
  ["1,299.00", 1299],
  ["1,299,000", 1299000],
  ["12,50", undefined],
  ["€ 12", undefined],
  ["", undefined],
  [NaN, undefined],
  [Infinity, undefined],
  [null, undefined],
  [{}, undefined],
];

for (const [given, expected] of NUMBERS) {
  void test(`reads ${JSON.stringify(given) ?? String(given)} as ${expected}`, () =>
    assert.equal(numberOf(given), expected));
}

void test("reads texts and numbers as trimmed, bounded text, and anything else as none", () => {
  assert.deepEqual([" a ", 7, null, {}, ["x"], true].map(textOf), ["a", "7", "", "", "", ""]);
  assert.equal(textOf("x".repeat(5000)).length, 1000);
});

void test("finds no fields in what is not an object", () => {
  assert.deepEqual([null, undefined, 3, "text"].map(fieldsOf), [{}, {}, {}, {}]);
});

void test("cuts a text between characters, not inside of one", () => {
  const cases: [text: string, most: number, expected: string][] = [
    ["tent \u{1f600}", 6, "tent "],
    ["tent \u{1f600}", 7, "tent \u{1f600}"],
    ["\u{1f600}\u{1f601}", 3, "\u{1f600}"],
    ["\u{1f600}", 1, ""],
    ["tent", 9, "tent"],
    ["tent", 0, ""],
    ["", 5, ""],
  ];
  for (const [text, most, expected] of cases) assert.equal(cut(text, most), expected);
});
