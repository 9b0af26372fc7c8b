/** The SDK's weight and its limits. */

import { brotliCompressSync, gzipSync } from "node:zlib";

const KIB = 1024;
/**
 * Bytes after gzip -9 that a shop's visitor must never have to load more than: mm.js on the way to a page, the parts
 * while the browser has nothing else to do, mm.mjs as a share of the shop's own bundle.
 */
export const GZIP_BUDGETS = {
  "dist/mm.js": 12 * KIB,
  "dist/mm-banner.js": 8 * KIB,
  "dist/mm-push.js": 2 * KIB,
  "dist/mm-push-worker.js": KIB,
  "dist/mm.mjs": 20 * KIB,
};

export function gzipSize(contents) {
  return gzipSync(contents, { level: 9 }).length;
}

export function describeSize(path, contents) {
  const brotli = brotliCompressSync(contents).length;
  const gzip = `${gzipSize(contents)} gzip of at most ${GZIP_BUDGETS[path]}`;
  return `${path}: ${contents.length} bytes raw, ${gzip}, ${brotli} brotli`;
}
