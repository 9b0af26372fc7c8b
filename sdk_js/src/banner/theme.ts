/** The shop's own look on a banner. */

import { numberOf, textOf } from "../base/read";

const COLOURS = ["background", "color", "accent"] as const;
const MAX_RADIUS_PX = 40;

export interface Theme {
  colours: Partial<Record<(typeof COLOURS)[number], string>>;
  /** How round corners are; undefined for the form's own. */
  radiusPx: number | undefined;
  /** Whether it is set in the font of the page around it. */
  inheritsFont: boolean;
}

/** Reads a theme; a colour that is none, or a radius beyond reason, is left out. */
export function readTheme(fields: Record<string, unknown>): Theme {
  const colours: Theme["colours"] = {};
  for (const part of COLOURS) {
    const colour = textOf(fields[part]);
    if (CSS.supports("color", colour)) colours[part] = colour;
  }
  const radiusPx = numberOf(fields["radius"]);
  return {
    colours,
    radiusPx: radiusPx !== undefined && radiusPx >= 0 && radiusPx <= MAX_RADIUS_PX ? radiusPx : undefined,
    inheritsFont: fields["font"] === "inherit",
  };
}

/** Sets the look through the object model, which a content security policy does not forbid. */
export function applyTheme(element: HTMLElement, { colours, radiusPx }: Theme): void {
  for (const [part, colour] of Object.entries(colours)) element.style.setProperty(`--${part}`, colour);
  if (radiusPx !== undefined) element.style.setProperty("--radius", `${radiusPx}px`);
}
