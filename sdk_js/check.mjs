/** Fails unless dist/ is exactly what src/ builds to, and within the byte budget. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle, root } from "./bundle.mjs";
import { describeSize, GZIP_BUDGET, gzipSize } from "./size.mjs";

let problems = 0;

function report(problem) {
  problems += 1;
  console.error(problem);
}

for (const { path, contents } of await bundle()) {
  const committed = await readFile(join(root, path)).catch(() => null);
  if (!committed?.equals(contents)) report(`sdk_js/${path} is not what src/ builds to: run "make sdk" and commit it`);
  if (gzipSize(contents) > GZIP_BUDGET) {
    report(`sdk_js/${path} is over its budget of ${GZIP_BUDGET} bytes gzip: make it smaller`);
  }
  console.log(describeSize(path, contents));
}
process.exitCode = problems ? 1 : 0;
