/** Bundles test/**.test.ts and runs them with Node's own test runner. */

import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { common, root } from "./bundle.mjs";

const output = join(root, "node_modules", ".cache", "tests");
const files = (await readdir(join(root, "test"), { recursive: true })).filter((file) => file.endsWith(".test.ts"));

await rm(output, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: files.map((file) => join("test", file)),
  outdir: output,
  outExtension: { ".js": ".mjs" },
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["jsdom"],
  sourcemap: "inline",
});
const bundles = files.map((file) => join(output, file.replace(/\.ts$/, ".mjs")));
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--no-warnings", "--test", "--test-reporter=spec", ...bundles],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;
