import assert from "node:assert/strict";
import { test } from "node:test";
import { bounded } from "../../src/base/bounded";

const cyclic: Record<string, unknown> = { name: "loop" };
cyclic["self"] = cyclic;

const CASES: [what: string, given: Record<string, unknown>, expected: Record<string, unknown>][] = [
  ["keeps plain values", { a: 1, b: "x", c: true, d: null }, { a: 1, b: "x", c: true, d: null }],
  ["writes dates as text", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
  ["writes big integers as text", { big: 2n ** 70n }, { big: "1180591620717411303424" }],
  ["leaves out functions and undefined", { f: () => 1, u: undefined }, {}],
  ["leaves out elements", { element: { nodeType: 1 } }, {}],
  ["cuts long texts", { text: "x".repeat(5000) }, { text: "x".repeat(1024) }],
  ["cuts long lists", { list: Array(500).fill(1) }, { list: Array(50).fill(1) }],
  ["gives up on cycles", cyclic, {}],
];

for (const [what, given, expected] of CASES) {
  void test(what, () => assert.deepEqual(bounded(given), expected));
}

void test("bounds the number of values however they are nested", () => {
  const deep = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, Array(50).fill({ x: 1 })]));
  assert.ok(JSON.stringify(bounded(deep)).length < 30_000);
});

void test("hands over a copy, so that later changes of the page do not reach the event", () => {
  const items = [{ id: 1 }];
  const copy = bounded({ items });
  items[0] = { id: 2 };
  assert.deepEqual(copy, { items: [{ id: 1 }] });
});
