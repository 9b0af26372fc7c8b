/** The open line on which the collector sends banners. */

import { guarded, later, listen } from "./base/guard";
import { log } from "./base/log";
import { backoffMs } from "./delivery/backoff";

export interface Stream {
  /** Uses a token from now on; an open line stays as it is. */
  useToken(token: string): void;
  close(): void;
}

/**
 * Open only while the page is visible: hidden tabs would use up the few connections that a
 * browser grants per host, and an open line keeps a page out of the back/forward cache.
 */
export function createStream(collector: string, onBanner: (data: unknown) => void): Stream {
  let token: string | undefined;
  let source: EventSource | undefined;
  let failures = 0;

  const disconnect = () => {
    source?.close();
    source = undefined;
  };
  const connect = () => {
    if (source || !token || document.hidden) return;
    const opened = new EventSource(`${collector}/v1/stream?token=${encodeURIComponent(token)}`);
    source = opened;
    opened.onopen = () => {
      failures = 0;
      log("stream open");
    };
    opened.addEventListener(
      "banner",
      guarded((event: MessageEvent<string>) => onBanner(JSON.parse(event.data))),
    );
    opened.onerror = guarded(() => {
      // A broken line is taken up again by the browser itself; a refused one is not.
      if (opened !== source || opened.readyState !== EventSource.CLOSED) return;
      disconnect();
      later(connect, backoffMs(++failures, 0, Math.random()));
    });
  };
  listen(document, "visibilitychange", () => (document.hidden ? disconnect() : connect()));
  listen(window, "pagehide", disconnect);
  listen(window, "pageshow", connect);

  return {
    useToken(next) {
      token = next;
      connect();
    },
    close() {
      token = undefined;
      disconnect();
    },
  };
}
