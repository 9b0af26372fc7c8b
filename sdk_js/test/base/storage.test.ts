import assert from "node:assert/strict";
import { read, readJson, remove, write, writeJson } from "../../src/base/storage";
import type { Browser } from "../support/browser";
import { inBrowser } from "../support/with-browser";

function refuseStorage(browser: Browser): void {
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get() {
      throw new browser.window.DOMException("denied", "SecurityError");
    },
  });
}

inBrowser("keeps texts under a prefix of its own", {}, (browser) => {
  write("key", "value");
  assert.equal(read("key"), "value");
  assert.deepEqual(browser.stored(), { mm_key: "value" });
});

inBrowser("falls back to a cookie where localStorage is refused", {}, (browser) => {
  refuseStorage(browser);
  write("id", "a;b=c");
  assert.match(browser.window.document.cookie, /^mm_id=/);
  assert.equal(read("id"), "a;b=c");
  remove("id");
  assert.equal(read("id"), undefined);
  assert.equal(browser.window.document.cookie, "");
});

inBrowser("keeps large values out of cookies", {}, (browser) => {
  refuseStorage(browser);
  write("large", "x".repeat(1000));
  assert.equal(browser.window.document.cookie, "");
  assert.equal(read("large"), "x".repeat(1000));
  remove("large");
});

inBrowser("reads damaged JSON as absent", {}, () => {
  write("state", "{oops");
  assert.equal(readJson("state"), undefined);
  writeJson("state", { fine: true });
  assert.deepEqual(readJson("state"), { fine: true });
});
