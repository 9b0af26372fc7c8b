import assert from "node:assert/strict";
import { findScript, readConfiguration } from "../src/config";
import { inBrowser } from "./support/with-browser";

const SRC = "https://collector.test/assets/mm.js";

const CASES: [attributes: string, expected: unknown][] = [
  [`src="${SRC}" data-key="K"`, { writeKey: "K", collector: "https://collector.test", optIn: false, nonce: "" }],
  [
    `src="${SRC}" data-key="K" data-collector="https://edge.test/mm//" data-consent="opt-in" nonce="abc"`,
    { writeKey: "K", collector: "https://edge.test/mm", optIn: true, nonce: "abc" },
  ],
  ['src="/mm.js" data-key="K"', { writeKey: "K", collector: "https://shop.test", optIn: false, nonce: "" }],
  [`src="${SRC}" data-key=""`, undefined],
  [`src="${SRC}"`, undefined],
];

for (const [attributes, expected] of CASES) {
  inBrowser(`reads <script ${attributes}>`, { head: `<script ${attributes}></script>` }, () => {
    assert.deepEqual(readConfiguration(findScript()), expected);
  });
}

inBrowser(
  "finds its tag among others",
  { head: `<script src="/other.js" data-key="theirs"></script><script src="${SRC}" data-key="ours"></script>` },
  () => {
    assert.equal(readConfiguration(findScript())?.writeKey, "ours");
  },
);
