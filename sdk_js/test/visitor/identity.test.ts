import assert from "node:assert/strict";
import { createIdentity } from "../../src/visitor/identity";
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
