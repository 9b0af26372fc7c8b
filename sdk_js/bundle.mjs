/** How the SDK is bundled; shared by build, check and tests. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { minify } from "terser";

export const root = fileURLToPath(new URL(".", import.meta.url));

/** Hands stylesheets to the code as minified text. */
const cssAsText = {
  name: "css-as-text",
  setup(plugins) {
    plugins.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));

/** Options that every bundle of the sources shares. */
export const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2020",
  charset: "utf8",
  define: { __VERSION__: JSON.stringify(version) },
  plugins: [cssAsText],
  logLevel: "warning",
};

/** Files of their own that mm.js loads when they are needed, by the names in src/parts.ts. */
const PARTS = { banner: "src/banner/part.ts", push: "src/push/part.ts" };
const TARGETS = [
  { entryPoints: ["src/snippet.ts"], outfile: "dist/mm.js", format: "iife" },
  { entryPoints: ["src/module.ts"], outfile: "dist/mm.mjs", format: "esm" },
  { entryPoints: ["src/push/worker.ts"], outfile: "dist/mm-push-worker.js", format: "iife" },
];

/**
 * Names by which the modules of one file call one another, shortened in the build. Nothing that is sent,
 * stored, called by pages or by another file of ours, or the browser's own may stand here.
 */
const INTERNAL_NAMES = [
  ...["advance", "adopt", "around", "beacon", "beforeLeaving", "byId", "byUrl", "catalog", "changed", "clicked"],
  ...["discard", "dismissed", "emit", "entered", "expiresAtMs", "first", "forget", "granted", "isOver", "isSubmitted"],
  ...["lastField", "lists", "ofPage", "onCoupon", "onCta", "onDismiss", "onReply", "outbox"],
  ...["pageContext", "products", "resume", "retryAfterMs", "sendBeforeLeaving", "sessions", "shown", "single"],
  ...["touched", "transport", "useToken"],
];

/** Terser inlines functions that are used once, which esbuild does not: a sixteenth less after gzip. */
async function shrink(code, format) {
  const result = await minify(code, {
    ecma: 2020,
    module: format === "esm",
    toplevel: true,
    mangle: { properties: { keep_quoted: true, regex: new RegExp(`^(${INTERNAL_NAMES.join("|")})$`) } },
    compress: { passes: 6, unsafe_arrows: true, hoist_funs: true, lhs_constants: false },
    format: { preamble: `/*! mm.js ${version} Apache-2.0 */` },
  });
  return Buffer.from(`${result.code}\n`);
}

async function bundleOne(target, define = {}) {
  const options = { ...common, ...target, define: { ...common.define, ...define } };
  const { outputFiles } = await build({ ...options, write: false });
  return { path: target.outfile, contents: await shrink(outputFiles[0].text, target.format) };
}

/** Builds the files of dist/ in memory: [{ path, contents }], paths relative to this folder. */
export async function bundle() {
  const names = Object.keys(PARTS);
  const parts = await Promise.all(
    names.map((name) => bundleOne({ entryPoints: [PARTS[name]], outfile: `dist/mm-${name}.js`, format: "esm" })),
  );
  const digests = Object.fromEntries(parts.map(({ contents }, index) => [names[index], digestOf(contents)]));
  const cores = await Promise.all(TARGETS.map((target) => bundleOne(target, { __PARTS__: JSON.stringify(digests) })));
  return [...cores, ...parts];
}

/** What the collector too calls this very text by. */
function digestOf(contents) {
  return createHash("sha256").update(contents).digest("hex").slice(0, 12);
}
