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
  countdown: { until: "2026-11-22T10:30:00Z", label: "Ends in" },
  labels: { close: "Schließen", copy: "Kopieren", copied: "Kopiert" },
  theme: { background: "#102030", color: "white", accent: "#fca311", radius: 4, font: "inherit" },
  display: {
    pages: ["/p/*"],
    not_pages: ["/p/gift*"],
    once: "session",
    delay_ms: 3000,
    on: "scroll",
    scroll_pct: 50,
    stay_ms: 20000,
  },
  expires_at: "2026-11-22T11:00:00Z",
};
const PLAIN = { message_id: "m", title: "x" };

inBrowser("reads a banner as agreed", {}, () => {
  const { countdown, ...banner } = readBanner(FULL) ?? {};
  assert.deepEqual(banner, {
    id: "m1",
    rule: "hesitation",
    variant: "b",
    form: "bar",
    position: "top",
    selector: "",
    place: "append",
    title: "Hello",
    text: "World",
    image: "https://cdn.test/i.png",
    cta: { label: "Go", url: "https://shop.test/sale" },
    dismiss: "No",
    coupon: "SAVE10",
    labels: { close: "Schließen", copy: "Kopieren", copied: "Kopiert" },
    theme: {
      colours: { background: "#102030", color: "white", accent: "#fca311" },
      radiusPx: 4,
      inheritsFont: true,
    },
    conditions: {
      pages: ["/p/*"],
      notPages: ["/p/gift*"],
      once: "session",
      delayMs: 3000,
      on: "scroll",
      scrollPct: 50,
    },
    stayMs: 20000,
    isTransactional: false,
    expiresAtMs: Date.parse("2026-11-22T11:00:00Z"),
  });
  assert.deepEqual([countdown?.label, countdown?.endMs(0)], ["Ends in", Date.parse("2026-11-22T10:30:00Z")]);
});

inBrowser("reads a banner that says nothing of its form and conditions", {}, () => {
  const banner = readBanner(PLAIN);
  assert.deepEqual([banner?.form, banner?.countdown, banner?.stayMs], ["slide_in", undefined, Infinity]);
  assert.deepEqual(banner?.labels, { close: "Close", copy: "Copy", copied: "Copied" });
  assert.deepEqual(banner?.conditions, {
    pages: [],
    notPages: [],
    once: "message",
    delayMs: 0,
    on: "load",
    scrollPct: 0,
  });
});

inBrowser("lets a toast go by itself", {}, () => {
  assert.equal(readBanner({ ...PLAIN, form: "toast" })?.stayMs, 8000);
});

inBrowser("knows where an inline banner belongs", {}, () => {
  const banner = readBanner({ ...PLAIN, form: "inline", selector: "#offer", place: "before" });
  assert.deepEqual([banner?.selector, banner?.place], ["#offer", "before"]);
});

inBrowser("counts a duration from when the banner is shown", {}, () => {
  assert.equal(readBanner({ ...PLAIN, countdown: { for_ms: 5000 } })?.countdown?.endMs(1000), 6000);
});

const RADII: [radius: unknown, px: number | undefined][] = [
  [0, 0],
  ["12", 12],
  [41, undefined],
  [-1, undefined],
  ["1em", undefined],
];
for (const [radius, px] of RADII) {
  inBrowser(`takes a radius of ${radius} for ${px}`, {}, () => {
    assert.equal(readBanner({ ...PLAIN, theme: { radius } })?.theme.radiusPx, px);
  });
}

const NOTHING: [what: string, data: unknown][] = [
  ["nothing", null],
  ["a text", "banner"],
  ["no id", { title: "x" }],
  ["no words", { message_id: "m" }],
  ["an inline banner without a place", { ...PLAIN, form: "inline" }],
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
  assert.deepEqual([banner?.image, banner?.cta, banner?.theme.colours], [undefined, undefined, { color: "#fff" }]);
});

inBrowser("leaves out a link without words", {}, () => {
  assert.equal(readBanner({ message_id: "m", title: "x", cta: { url: "/a" } })?.cta, undefined);
});

inBrowser("never expires without a date", {}, () => {
  assert.equal(readBanner({ message_id: "m", title: "x", expires_at: "soon" })?.expiresAtMs, Infinity);
});
