import assert from "node:assert/strict";
import { createSessions } from "../../src/visitor/session";
import { START_MS } from "../support/browser";
import { inBrowser } from "../support/with-browser";

const MINUTE_MS = 60_000;

inBrowser("counts the events of a session, over pages", {}, () => {
  const first = createSessions().advance(START_MS);
  const second = createSessions().advance(START_MS + MINUTE_MS);
  assert.deepEqual([first.seq, second.seq], [1, 2]);
  assert.equal(first.id, second.id);
});

inBrowser("begins anew after half an hour without events", {}, () => {
  const sessions = createSessions();
  const { id } = sessions.advance(START_MS);
  sessions.advance(START_MS + 29 * MINUTE_MS);
  assert.equal(sessions.isOver(START_MS + 59 * MINUTE_MS), false);
  assert.equal(sessions.isOver(START_MS + 60 * MINUTE_MS), true);
  const next = sessions.advance(START_MS + 60 * MINUTE_MS);
  assert.equal(next.seq, 1);
  assert.notEqual(next.id, id);
});

inBrowser(
  "knows the campaign that brought it",
  { url: "https://shop.test/?utm_source=news&utm_campaign=may&utm_term=" },
  () => {
    const sessions = createSessions();
    sessions.advance(START_MS);
    assert.deepEqual(JSON.parse(JSON.stringify(sessions.campaign())), { source: "news", name: "may" });
  },
);

inBrowser("keeps the campaign on pages whose address does not name it", {}, (browser) => {
  const state = { id: "s", seq: 4, lastMs: START_MS, campaign: { source: "news" } };
  browser.window.localStorage.setItem("mm_session", JSON.stringify(state));
  const sessions = createSessions();
  assert.equal(sessions.advance(START_MS).seq, 5);
  assert.deepEqual(sessions.campaign(), { source: "news" });
});
