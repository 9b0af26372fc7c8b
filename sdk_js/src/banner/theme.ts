/** The shop's colours on a banner. */

import type { Banner } from "./banner";

/** Sets colours through the object model, which a content security policy does not forbid. */
export function applyTheme(element: HTMLElement, theme: Banner["theme"]): void {
  for (const [part, color] of Object.entries(theme)) element.style.setProperty(`--${part}`, color);
}
