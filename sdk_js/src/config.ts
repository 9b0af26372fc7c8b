/** The settings that the pasted script tag carries. */

export interface Configuration {
  writeKey: string;
  /** Origin (and optional path) of the collector, without a trailing slash. */
  collector: string;
  /** Whether nothing is captured until the visitor agrees. */
  optIn: boolean;
  /** The page's CSP nonce for style elements; empty when it has none. */
  nonce: string;
}

/** The tag that loaded this script: an async script has lost `currentScript` only when it runs late. */
export function findScript(): HTMLScriptElement | null {
  const current = document.currentScript;
  if (current instanceof HTMLScriptElement && current.dataset["key"]) return current;
  return document.querySelector<HTMLScriptElement>('script[data-key][src*="mm"]');
}

/** Reads the script tag's attributes; undefined when it names no write key. */
export function readConfiguration(script: HTMLScriptElement | null): Configuration | undefined {
  const { key, collector, consent } = script?.dataset ?? {};
  if (!script || !key) return undefined;
  return {
    writeKey: key,
    collector: trimmed(collector || new URL(script.src, document.baseURI).origin),
    optIn: consent === "opt-in",
    nonce: script.nonce || "",
  };
}

/** A collector address without its trailing slashes. */
export function trimmed(address: string): string {
  return address.replace(/\/+$/, "");
}
