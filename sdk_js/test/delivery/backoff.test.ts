import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../src/delivery/backoff";

const CASES: [attempt: number, retryAfterMs: number, random: number, expectedMs: number][] = [
  [1, 0, 0.5, 1000], // half of 1 s * 2^1
  [3, 0, 0.5, 4000], // half of 1 s * 2^3
  [3, 0, 0, 0], // full jitter reaches down to nothing
  [10, 0, 0.5, 15_000], // half of the cap of 30 s
  [2000, 0, 0.5, 15_000], // 2^2000 is infinite, the cap is not
  [1, 7000, 0.25, 7250], // what the collector asked for, spread over a second
];

for (const [attempt, retryAfterMs, random, expected] of CASES) {
  void test(`waits ${expected} ms after attempt ${attempt}, asked for ${retryAfterMs}, at ${random}`, () => {
    assert.equal(backoffMs(attempt, retryAfterMs, random), expected);
  });
}
