/** Fails unless dist/ is exactly what src/ builds to, and within its byte budgets. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle, root } from "./bundle.mjs";
import { describeSize, GZIP_BUDGETS, gzipSize } from "./size.mjs";

let problems = 0;

function report(problem) {
  problems += 1;
  console.error(problem);
}

for (const { path, contents } of await bundle()) {
  const committed = await readFile(join(root, path)).catch(() => null);
  if (!committed?.equals(contents)) report(`sdk_js/${path} is not what src/ builds to: run "make sdk" and commit it`);
  if (!(gzipSize(contents) <= GZIP_BUDGETS[path])) {
    report(`sdk_js/${path} is over its budget of ${GZIP_BUDGETS[path]} bytes gzip: make it smaller`);
  }
  console.log(describeSize(path, contents));
}
process.exitCode = problems ? 1 : 0;
