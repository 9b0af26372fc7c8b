import assert from "node:assert/strict";
import { browserId, createIdentity } from "../../src/visitor/identity";
import { START_MS } from "../support/browser";
import { inBrowser } from "../support/with-browser";

inBrowser("keeps the anonymous id from page to page", {}, () => {
  assert.equal(createIdentity().anonymousId(), createIdentity().anonymousId());
});

inBrowser("keeps the anonymous id when it learns who the visitor is", {}, () => {
  const identity = createIdentity();
  const before = identity.anonymousId();
  identity.identify(42);
  assert.deepEqual([identity.userId(), identity.anonymousId()], ["42", before]);
});

inBrowser("makes an id that its secret proves, as the collector works it out", {}, () => {
  const identity = createIdentity();
  const [id, secret] = [identity.anonymousId(), identity.secret()];
  assert.match(id, /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  assert.match(secret, /^[\da-f]{32}$/);
  assert.equal(browserId(START_MS, secret), id);
  // The expected value stands in `tests/warehouse/test_browser_id.py`, too.
  const expected = "01a202b2-c500-869b-8efc-b334cf079cd7";
  assert.equal(browserId(1_795_341_600_000, "00112233445566778899aabbccddeeff"), expected);
});

const OF_EARLIER_VERSIONS: [what: string, stored: Record<string, string>][] = [
  ["no secret", { mm_anonymous_id: "01a202b2-c500-7000-8000-b334cf079cd7" }],
  ["no id", { mm_secret: "00112233445566778899aabbccddeeff" }],
  ["another's secret", { mm_anonymous_id: "01a202b2-c500-869b-8efc-b334cf079cd7", mm_secret: "0".repeat(32) }],
  ["no id that tells when", { mm_anonymous_id: "cookie", mm_secret: "0".repeat(32) }],
];

for (const [what, stored] of OF_EARLIER_VERSIONS) {
  inBrowser(`begins anew with ${what}, and stays who the visitor is`, { stored: { ...stored, mm_user_id: "ada" } }, () => {
    const identity = createIdentity();
    const id = identity.anonymousId();
    assert.notEqual(id, stored["mm_anonymous_id"]);
    assert.equal(browserId(START_MS, identity.secret()), id);
    assert.deepEqual([createIdentity().anonymousId(), identity.userId()], [id, "ada"]);
  });
}

inBrowser("keeps the signature of the user id, as long as it is that user", {}, () => {
  const identity = createIdentity();
  identity.identify("ada", "a1");
  identity.identify("ada");
  assert.equal(identity.userHash(), "a1");
  identity.identify("ada", "a2");
  assert.equal(createIdentity().userHash(), "a2");
  for (const none of ["", null, undefined, {}, []]) identity.identify("ada", none);
  assert.equal(identity.userHash(), "a2");
  identity.identify("bob");
  assert.equal(identity.userHash(), undefined);
});

inBrowser("has another secret as another visitor", {}, () => {
  const identity = createIdentity();
  const before = identity.secret();
  identity.forget();
  assert.notEqual(identity.secret(), before);
});

inBrowser("does not merge two people who use one browser", {}, () => {
  const identity = createIdentity();
  identity.identify("ada");
  const before = identity.anonymousId();
  identity.identify("ada");
  assert.equal(identity.anonymousId(), before);
  identity.identify("bob");
  assert.notEqual(identity.anonymousId(), before);
  assert.equal(identity.userId(), "bob");
});

inBrowser("takes no identity from what is not one", {}, () => {
  const identity = createIdentity();
  for (const id of [null, undefined, "", {}, [], true]) identity.identify(id);
  assert.equal(identity.userId(), undefined);
});

inBrowser("is nobody in particular once forgotten", {}, (browser) => {
  const identity = createIdentity();
  const before = identity.anonymousId();
  identity.identify("ada");
  identity.forget();
  assert.deepEqual(browser.stored(), {});
  assert.notEqual(identity.anonymousId(), before);
});
