import assert from "node:assert/strict";
import { inBrowser } from "../support/with-browser";

inBrowser("counts a view per change of path or query, once the router has settled", {}, async (browser) => {
  browser.start();
  const { history, document } = browser.window;
  history.pushState({}, "", "/a");
  history.replaceState({}, "", "/a?sort=price");
  document.title = "A by price";
  await browser.pass(250);
  history.pushState({}, "", "/a?sort=price#reviews");
  history.replaceState({ scroll: 10 }, "");
  await browser.pass(250);
  history.replaceState({}, "", "/b");
  await browser.pass(1000);
  const views = browser
    .messages("page")
    .map(({ properties }) => [properties["path"], properties["title"], properties["referrer"]]);
  assert.deepEqual(views, [
    ["/", "Shop", ""],
    ["/a", "A by price", "https://shop.test/"],
    ["/b", "A by price", "https://shop.test/a?sort=price"],
  ]);
});

inBrowser("counts a view when the visitor goes back", {}, async (browser) => {
  browser.start();
  browser.window.history.pushState({}, "", "/a");
  await browser.pass(250);
  browser.window.history.back();
  await browser.pass(1000);
  assert.deepEqual(
    browser.messages("page").map(({ context }) => context.page.path),
    ["/", "/a", "/"],
  );
});

inBrowser("counts a view when the page returns from the back/forward cache", {}, async (browser) => {
  browser.start();
  browser.fireWindow("pageshow", { persisted: false });
  browser.fireWindow("pageshow", { persisted: true });
  await browser.pass(1000);
  assert.equal(browser.messages("page").length, 2);
});

inBrowser("passes on to the page whatever the history answers", {}, (browser) => {
  browser.start();
  assert.throws(() => browser.window.history.pushState({}, "", "https://elsewhere.test/"), /SecurityError|different/);
  browser.window.history.pushState({ step: 2 }, "", "/x");
  assert.deepEqual(browser.window.history.state, { step: 2 });
});

inBrowser(
  "says of a view where it is and where the visitor came from",
  { url: "https://shop.test/cart?x=1#top", referrer: "https://search.test/" },
  async (browser) => {
    browser.start();
    await browser.pass(500);
    assert.deepEqual(browser.messages("page")[0]?.properties, {
      path: "/cart",
      url: "https://shop.test/cart?x=1",
      title: "Shop",
      referrer: "https://search.test/",
      page_type: "cart",
    });
  },
);
