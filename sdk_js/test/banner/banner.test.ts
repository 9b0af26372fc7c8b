import assert from "node:assert/strict";
import { readBanner } from "../../src/banner/banner";
import { inBrowser } from "../support/with-browser";

const FULL = {
  message_id: "m1",
  rule: "hesitation",
  variant: "b",
  form: "bar",
  position: "top",
  title: " Hello ",
  text: "World",
  image: "https://cdn.test/i.png",
  cta: { label: "Go", url: "/sale" },
  dismiss: "No",
  coupon: "SAVE10",
  theme: { background: "#102030", color: "white", accent: "#fca311" },
  expires_at: "2026-11-22T11:00:00Z",
};

inBrowser("reads a banner as agreed", {}, () => {
  assert.deepEqual(readBanner(FULL), {
    id: "m1",
    rule: "hesitation",
    variant: "b",
    form: "bar",
    position: "top",
    title: "Hello",
    text: "World",
    image: "https://cdn.test/i.png",
    cta: { label: "Go", url: "https://shop.test/sale" },
    dismiss: "No",
    coupon: "SAVE10",
    theme: { background: "#102030", color: "white", accent: "#fca311" },
    expiresAtMs: Date.parse("2026-11-22T11:00:00Z"),
  });
});

const NOTHING: [what: string, data: unknown][] = [
  ["nothing", null],
  ["a text", "banner"],
  ["no id", { title: "x" }],
  ["no words", { message_id: "m" }],
  ["words that are not text", { message_id: "m", title: { toString: "x" } }],
];

for (const [what, data] of NOTHING) {
  inBrowser(`takes no banner from ${what}`, {}, () => assert.equal(readBanner(data), undefined));
}

inBrowser("leaves out addresses that could run something, and colours that are not colours", {}, () => {
  const banner = readBanner({
    message_id: "m",
    title: "x",
    image: "data:image/svg+xml,<svg onload=alert(1)>",
    cta: { label: "x", url: "javascript:alert(1)" },
    theme: { background: "red; } * { display: none", accent: "url(https://evil.test)", color: "#fff" },
  });
  assert.deepEqual([banner?.image, banner?.cta, banner?.theme], [undefined, undefined, { color: "#fff" }]);
});

inBrowser("leaves out a link without words", {}, () => {
  assert.equal(readBanner({ message_id: "m", title: "x", cta: { url: "/a" } })?.cta, undefined);
});

inBrowser("never expires without a date", {}, () => {
  assert.equal(readBanner({ message_id: "m", title: "x", expires_at: "soon" })?.expiresAtMs, Infinity);
});
