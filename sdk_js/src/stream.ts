/** The open line on which the collector sends banners. */

import { guarded, later, listen } from "./base/guard";
import { log } from "./base/log";
import { backoffMs } from "./delivery/backoff";

/** How soon a line that broke is taken up again. */
const AGAIN_MS = 2000;

export interface Stream {
  /** Uses a token from now on; an open line stays as it is. */
  useToken(token: string): void;
  close(): void;
}

/**
 * Open only while the page is visible: hidden tabs would use up the few connections that a
 * browser grants per host, and an open line keeps a page out of the back/forward cache.
 *
 * Server-sent events, read by hand: an EventSource can name its token only in the address, which others write down.
 */
export function createStream(collector: string, onBanner: (data: unknown) => void): Stream {
  let token: string | undefined;
  let line: AbortController | undefined;
  let failures = 0;
  const take = guarded((block: string) => {
    const data = block.match(/^data: .*/gm)?.map((part) => part.slice(6));
    if (data && /^event: banner$/m.test(block)) onBanner(JSON.parse(data.join("\n")));
  });

  async function follow({ signal }: AbortController): Promise<void> {
    const headers = { Authorization: `Bearer ${token}` };
    failures++;
    const response = await fetch(`${collector}/v1/stream`, { headers, signal, credentials: "omit", cache: "no-store" });
    if (!response.ok || !response.body) return;
    failures = 0;
    log("stream open");
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const blocks = (rest + decoder.decode(part.value, { stream: true })).replace(/\r\n/g, "\n").split("\n\n");
      rest = blocks.pop() ?? "";
      blocks.forEach(take);
    }
  }
  const disconnect = () => {
    line?.abort();
    line = undefined;
  };
  const connect = () => {
    if (line || !token || document.hidden) return;
    const opened = (line = new AbortController());
    const again = guarded(() => {
      if (opened !== line) return;
      disconnect();
      later(connect, failures ? backoffMs(failures, 0, Math.random()) : AGAIN_MS);
    });
    follow(opened).then(again, again);
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
