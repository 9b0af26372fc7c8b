import assert from "node:assert/strict";
import { createOutbox, type Entry } from "../../src/delivery/outbox";
import { START_MS } from "../support/browser";
import { inBrowser } from "../support/with-browser";

const entry = (id: string, json = "{}"): Entry => ({ id, owner: "visitor", json });
const ids = (entries: readonly Entry[]) => entries.map(({ id }) => id);

inBrowser("survives the page that leaves", {}, () => {
  const before = createOutbox();
  before.add(entry("1"));
  before.add(entry("2"));
  before.leave();
  const after = createOutbox();
  after.adopt(START_MS);
  assert.deepEqual(ids(after.entries()), ["1", "2"]);
});

inBrowser("survives a page that crashed, once it has been silent for a minute", {}, () => {
  createOutbox().add(entry("1"));
  const after = createOutbox();
  after.adopt(START_MS + 59_000);
  assert.deepEqual(ids(after.entries()), []);
  after.adopt(START_MS + 61_000);
  assert.deepEqual(ids(after.entries()), ["1"]);
});

inBrowser("leaves other tabs' messages alone while they live", {}, () => {
  const first = createOutbox();
  const second = createOutbox();
  first.add(entry("1"));
  second.add(entry("2"));
  second.adopt(START_MS);
  assert.deepEqual([ids(first.entries()), ids(second.entries())], [["1"], ["2"]]);
});

inBrowser("puts what it adopts before its own", {}, () => {
  const before = createOutbox();
  before.add(entry("1"));
  before.leave();
  const after = createOutbox();
  after.add(entry("2"));
  after.adopt(START_MS);
  assert.deepEqual(ids(after.entries()), ["1", "2"]);
});

inBrowser("stores nothing once everything is sent", {}, (browser) => {
  const outbox = createOutbox();
  const sent = entry("1");
  outbox.add(sent);
  outbox.remove([sent]);
  assert.deepEqual(browser.stored(), {});
});

inBrowser("drops the oldest beyond its size", {}, () => {
  const outbox = createOutbox();
  for (let index = 0; index < 600; index++) outbox.add(entry(String(index)));
  assert.equal(outbox.entries().length, 500);
  assert.equal(outbox.entries()[0]?.id, "100");
  outbox.add(entry("large", "x".repeat(256 * 1024)));
  assert.deepEqual(ids(outbox.entries()), ["large"]);
});

inBrowser("gives up entries that another page took while this one was in the back/forward cache", {}, () => {
  const cached = createOutbox();
  cached.add(entry("1"));
  cached.leave();
  createOutbox().adopt(START_MS);
  cached.resume();
  assert.deepEqual(ids(cached.entries()), []);
});

inBrowser("keeps its entries when nobody took them meanwhile", {}, () => {
  const cached = createOutbox();
  cached.add(entry("1"));
  cached.leave();
  cached.resume();
  assert.deepEqual(ids(cached.entries()), ["1"]);
  const other = createOutbox();
  other.adopt(START_MS);
  assert.deepEqual(ids(other.entries()), []);
});

inBrowser("forgets what nobody sent within a week", {}, () => {
  const old = createOutbox();
  old.add(entry("1"));
  old.leave();
  const after = createOutbox();
  after.adopt(START_MS + 8 * 24 * 3600 * 1000);
  assert.deepEqual(ids(after.entries()), []);
});

inBrowser(
  "ignores damaged entries",
  { stored: { mm_outbox_x: '{"left":true,"atMs":1,"entries":"?"}', mm_outbox_y: "{" } },
  (browser) => {
    const outbox = createOutbox();
    outbox.adopt(START_MS);
    assert.deepEqual(ids(outbox.entries()), []);
    assert.deepEqual(browser.stored(), {});
  },
);

inBrowser("keeps in memory only what comes after it was told to discard", {}, (browser) => {
  const outbox = createOutbox();
  outbox.add(entry("1"));
  outbox.discard();
  outbox.add(entry("2"));
  assert.deepEqual(ids(outbox.entries()), ["2"]);
  assert.deepEqual(browser.stored(), {});
  outbox.persist();
  assert.equal(Object.keys(browser.stored()).length, 1);
});
