/** The SDK's weight and its limit. */

import { brotliCompressSync, gzipSync } from "node:zlib";

/** Bytes of mm.js after gzip -9 that a shop's visitor must never have to load more than. */
export const GZIP_BUDGET = 12 * 1024;

export function gzipSize(contents) {
  return gzipSync(contents, { level: 9 }).length;
}

export function describeSize(path, contents) {
  const brotli = brotliCompressSync(contents).length;
  return `${path}: ${contents.length} bytes raw, ${gzipSize(contents)} gzip, ${brotli} brotli`;
}
