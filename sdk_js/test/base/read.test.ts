import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, numberOf, textOf } from "../../src/base/read";

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
