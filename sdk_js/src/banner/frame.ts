/** What the forms of a banner are built from. */

/** Why a banner left the page without its link being followed. */
export type DismissReason = "button" | "escape" | "backdrop" | "timeout" | "countdown" | "navigation" | "no_consent";

export interface Frame {
  root: ShadowRoot;
  /** Carries the form's class and the shop's look. */
  box: HTMLElement;
  content: HTMLElement;
  dismiss: (reason: DismissReason) => void;
}
