import assert from "node:assert/strict";
import { test } from "node:test";
import { batchBody, byteLength, nextBatch } from "../../src/delivery/batch";
import type { Entry } from "../../src/delivery/outbox";
import type { BatchContext } from "../../src/types";

const CONTEXT: BatchContext = {
  library: { name: "mm.js", version: "0" },
  locale: "en",
  timezone: "UTC",
  screen: { width: 1, height: 1 },
};

function entries(count: number, json = "{}", owner = "a"): Entry[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${owner}${index}`, owner, json }));
}

void test("takes no more than fifty", () => {
  assert.equal(nextBatch(entries(80)).length, 50);
});

void test("takes no more bytes than a beacon carries, counted as they are sent", () => {
  const json = JSON.stringify({ text: "é".repeat(10_000) }); // 20 kB in UTF-8
  assert.equal(nextBatch(entries(9, json)).length, 2);
});

void test("takes one that is too large by itself rather than none", () => {
  assert.equal(nextBatch(entries(2, "x".repeat(70_000))).length, 1);
});

void test("does not mix visitors", () => {
  assert.deepEqual(nextBatch([...entries(2), ...entries(3, "{}", "b")]), entries(2));
});

void test("takes nothing from nothing", () => {
  assert.deepEqual(nextBatch([]), []);
});

void test("writes one JSON document around the messages as they were stored", () => {
  const body = batchBody("KEY", CONTEXT, entries(2, '{"n":1}'), 0);
  assert.deepEqual(JSON.parse(body), {
    writeKey: "KEY",
    sentAt: "1970-01-01T00:00:00.000Z",
    context: CONTEXT,
    batch: [{ n: 1 }, { n: 1 }],
  });
  assert.equal(byteLength("é"), 2);
});
