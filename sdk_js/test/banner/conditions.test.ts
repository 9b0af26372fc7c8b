import assert from "node:assert/strict";
import { test } from "node:test";
import { isConsentedTo, isForPage, readConditions } from "../../src/banner/conditions";

const PAGES: [pages: unknown, notPages: unknown, path: string, isFor: boolean][] = [
  [undefined, undefined, "/anything", true],
  [["/p/*"], undefined, "/p/", true],
  [["/p/*"], undefined, "/p/a/b", true],
  [["/p/*"], undefined, "/P/a", false],
  [["/p/*"], undefined, "/q/p/a", false],
  [["/p/?"], undefined, "/p/a", true],
  [["/p/?"], undefined, "/p/ab", false],
  [["/a", "/b"], undefined, "/b", true],
  [["*cart*"], undefined, "/my-cart/2", true],
  [["/a.b+(c)"], undefined, "/a.b+(c)", true],
  [["/a.b"], undefined, "/axb", false],
  [undefined, ["/checkout*"], "/checkout/pay", false],
  [["/p/*"], ["/p/gift*"], "/p/gift-card", false],
  ["/p/*", undefined, "/q", true],
  [[7, {}], undefined, "/7", false],
];

for (const [pages, not_pages, path, isFor] of PAGES) {
  void test(`${JSON.stringify(pages)} but ${JSON.stringify(not_pages)} is ${isFor ? "" : "not "}for ${path}`, () => {
    assert.equal(isForPage(readConditions({ pages, not_pages }), path), isFor);
  });
}

const ANSWERS: [consent: object, isTransactional: boolean, isConsented: boolean][] = [
  [{}, false, true],
  [{ marketing: true }, false, true],
  [{ marketing: false }, false, false],
  [{ marketing: false }, true, true],
  [{ channels: { banner: false } }, true, false],
  [{ channels: { email: false } }, false, true],
];

for (const [consent, isTransactional, isConsented] of ANSWERS) {
  void test(`${JSON.stringify(consent)} ${isConsented ? "lets in" : "keeps out"} transactional=${isTransactional}`, () => {
    assert.equal(isConsentedTo({ isTransactional }, consent), isConsented);
  });
}
