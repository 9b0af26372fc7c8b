import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sha256 } from "../../src/base/sha256";

void test("is the standard's hash of every text of one block", () => {
  for (let length = 0; length <= 55; length++) {
    for (const text of ["a".repeat(length), "~".repeat(length), "0123456789abcdef:".repeat(4).slice(0, length)]) {
      assert.equal(sha256(text), createHash("sha256").update(text).digest("hex"), text);
    }
  }
});
