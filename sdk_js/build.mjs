/** Builds dist/ from src/. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle, root } from "./bundle.mjs";
import { describeSize } from "./size.mjs";

await mkdir(join(root, "dist"), { recursive: true });
for (const { path, contents } of await bundle()) {
  await writeFile(join(root, path), contents);
  console.log(describeSize(path, contents));
}
