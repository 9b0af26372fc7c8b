/** Entry of mm.js: starts from the pasted script tag and takes over its queued calls. */

import { replay, type Micromoment, type Stub } from "./api";
import { guarded } from "./base/guard";
import { warn } from "./base/log";
import { findScript, readConfiguration } from "./config";
import { whenReady } from "./ready";
import { start } from "./index";

const host = window as unknown as { micromoment?: Micromoment | Stub };

guarded(() => {
  // A tag that was pasted twice would count everything twice.
  if (host.micromoment && "version" in host.micromoment) return;
  const configuration = readConfiguration(findScript());
  if (!configuration) return warn("the script tag has no data-key: nothing is captured");
  whenReady(() => {
    const stub = host.micromoment as Stub | undefined;
    const api = start(configuration);
    host.micromoment = api;
    replay(api, stub);
  });
})();
