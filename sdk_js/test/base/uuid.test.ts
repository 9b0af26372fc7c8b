import assert from "node:assert/strict";
import { test } from "node:test";
import { uuid } from "../../src/base/uuid";

const FORM = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

void test("has the form of a UUID version 7", () => {
  assert.match(uuid(), FORM);
});

void test("carries its time in the first 48 bits", () => {
  const at = Date.parse("2200-01-01T00:00:00Z");
  assert.equal(parseInt(uuid(at).replace("-", "").slice(0, 12), 16), at);
});

void test("sorts in the order of making, within one millisecond and when the clock goes back", () => {
  const at = Date.parse("2201-01-01T00:00:00Z");
  const made = Array.from({ length: 10_000 }, (_, index) => uuid(at - (index % 3)));
  assert.deepEqual(made, [...made].sort());
  assert.equal(new Set(made).size, made.length);
  assert.ok(made.every((id) => FORM.test(id)));
});
