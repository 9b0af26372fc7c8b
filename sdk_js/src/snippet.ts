/** Entry of mm.js: starts from the pasted script tag and takes over its queued calls. */

import { queuedCalls, type Micromoment, type Stub } from "./api";
import { guarded } from "./base/guard";
import { warn } from "./base/log";
import { findScript, readConfiguration } from "./config";
import { start } from "./index";
import { partsBeside } from "./parts";
import { whenReady } from "./ready";

const host = window as unknown as { micromoment?: Micromoment | Stub };

guarded(() => {
  // A tag that was pasted twice would count everything twice.
  if (host.micromoment && "version" in host.micromoment) return;
  const script = findScript();
  const configuration = readConfiguration(script);
  if (!script || !configuration) return warn("the script tag has no data-key: nothing is captured");
  whenReady(() => {
    const stub = host.micromoment as Stub | undefined;
    host.micromoment = start(configuration, partsBeside(script.src), queuedCalls(stub));
  });
})();
