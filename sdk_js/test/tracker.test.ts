import assert from "node:assert/strict";
import { inBrowser } from "./support/with-browser";

inBrowser(
  "says of each event who, when, where and in which order",
  { url: "https://shop.test/p/1?x=2" },
  async (browser) => {
    const micromoment = browser.start();
    micromoment.track("add_to_cart", { product_id: "A" });
    await browser.pass(500);
    const [session, page, added] = browser.messages();
    assert.deepEqual([session?.event, page?.type, added?.event], ["session_start", "page", "add_to_cart"]);
    assert.deepEqual(
      [session, page, added].map((message) => message?.context.seq),
      [1, 2, 3],
    );
    assert.equal(new Set([session, page, added].map((message) => message?.context.sessionId)).size, 1);
    assert.equal(added?.anonymousId, page?.anonymousId);
    assert.equal(added?.timestamp, "2026-11-22T10:00:00.000Z");
    assert.deepEqual(added?.properties, { product_id: "A" });
    assert.deepEqual(added?.context.page, {
      path: "/p/1",
      url: "https://shop.test/p/1?x=2",
      title: "Shop",
      referrer: "",
      type: "product",
    });
  },
);

inBrowser("begins a session again after half an hour of silence", {}, async (browser) => {
  const micromoment = browser.start();
  await browser.pass(1000);
  browser.hide();
  await browser.pass(31 * 60_000);
  micromoment.track("return");
  await browser.pass(500);
  const sessions = browser.messages("session_start").map(({ context }) => context.sessionId);
  assert.equal(new Set(sessions).size, 2);
  assert.equal(browser.messages("return")[0]?.context.seq, 2);
});

inBrowser("ties what follows to the shop's own id", {}, async (browser) => {
  const micromoment = browser.start();
  micromoment.track("before");
  micromoment.identify("ada", { plan: "pro" });
  micromoment.track("after");
  await browser.pass(500);
  const [identified] = browser.messages("identify");
  assert.deepEqual([identified?.type, identified?.userId, identified?.traits], ["identify", "ada", { plan: "pro" }]);
  assert.equal(browser.messages("before")[0]?.userId, undefined);
  assert.equal(browser.messages("after")[0]?.userId, "ada");
});

inBrowser("proves who the browser is in the body, and who the user is by the shop's signature", {}, async (browser) => {
  const micromoment = browser.start();
  micromoment.track("before");
  micromoment.identify("ada", {}, { hash: "a1" });
  micromoment.track("after");
  await browser.pass(500);
  const [before] = browser.messages("before");
  const [after] = browser.messages("after");
  assert.deepEqual([before?.context.userHash, after?.context.userHash], [undefined, "a1"]);
  const { mm_secret: secret } = browser.stored();
  assert.deepEqual([...new Set(browser.requests.map((request) => request.browserSecret))], [secret]);
});

inBrowser("shows for the events of the visitor before the secret of the visitor before", {}, async (browser) => {
  const micromoment = browser.start();
  await browser.pass(500);
  const before = browser.stored()["mm_secret"];
  micromoment.track("last");
  micromoment.reset();
  micromoment.track("first");
  await browser.pass(1000);
  const secretOf = (name: string) =>
    browser.requests.find((request) => request.batch.some(({ event }) => event === name))?.browserSecret;
  assert.equal(secretOf("last"), before);
  assert.equal(secretOf("first"), browser.stored()["mm_secret"]);
  assert.notEqual(secretOf("first"), before);
});

inBrowser("is somebody new in a new session after a reset", {}, async (browser) => {
  const micromoment = browser.start();
  micromoment.identify("ada");
  micromoment.track("before");
  micromoment.reset();
  micromoment.track("after");
  await browser.pass(1000);
  const [[before], [after]] = [browser.messages("before"), browser.messages("after")];
  assert.ok(before && after);
  assert.notEqual(after.anonymousId, before.anonymousId);
  assert.notEqual(after.context.sessionId, before.context.sessionId);
  assert.equal(after.userId, undefined);
});

inBrowser("lets a page describe its own view", {}, async (browser) => {
  browser.start().page({ title: "Step 2", step: 2 });
  await browser.pass(500);
  const [, view] = browser.messages("page");
  assert.deepEqual([view?.properties["title"], view?.properties["step"], view?.properties["path"]], ["Step 2", 2, "/"]);
});

inBrowser("ignores an event without a name and bounds a long one", {}, async (browser) => {
  const micromoment = browser.start();
  micromoment.track("  ");
  micromoment.track("x".repeat(500));
  await browser.pass(500);
  assert.deepEqual(browser.names().slice(2), ["x".repeat(128)]);
});

inBrowser("counts the first view of a page as the visitor's that calls from before the load speak of", {}, async (browser) => {
  browser.start().identify("ada");
  await browser.pass(500);
  const [before] = browser.messages("page");
  browser.start({}, [["reset"], ["track", "logged_out"]]);
  await browser.pass(500);
  const [, view] = browser.messages("page");
  assert.equal(view?.userId, undefined);
  assert.notEqual(view?.anonymousId, before?.anonymousId);
  assert.equal(browser.messages("logged_out")[0]?.context.seq, 3);
});

inBrowser("runs the calls from before the load in their order around the first view", {}, async (browser) => {
  browser.start({ optIn: true }, [["consent", { analytics: true }], ["identify", "ada"], ["track", "a"], ["identify", "bob"]]);
  await browser.pass(500);
  assert.deepEqual(browser.names(), ["session_start", "page", "consent", "identify", "a", "identify"]);
});
