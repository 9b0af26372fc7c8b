/** The one element of ours in the page; everything else is in its shadow root. */

import { BANNER_ATTRIBUTE } from "../base/dom";
import type { Banner } from "./banner";
import css from "./styles.css";

/** Makes the host of a banner, styled but empty and not yet in the page. */
export function createHost({ id, form, position, theme }: Banner, nonce: string): { host: HTMLElement; root: ShadowRoot } {
  const host = document.createElement("div");
  host.setAttribute(BANNER_ATTRIBUTE, id);
  Object.assign(host.dataset, { form, position, ...(theme.inheritsFont && { font: "inherit" }) });
  const root = host.attachShadow({ mode: "open" });
  applyStyles(root, nonce);
  return { host, root };
}

/** A constructed sheet passes any content security policy; a style element needs the page's nonce. */
function applyStyles(root: ShadowRoot, nonce: string): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.nonce = nonce;
    style.textContent = css;
    root.append(style);
  }
}
