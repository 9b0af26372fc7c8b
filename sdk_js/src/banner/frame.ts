/** What the forms of a banner are built from. */

export type DismissReason = "button" | "escape" | "backdrop";

export interface Frame {
  root: ShadowRoot;
  /** Carries the form's class and the shop's colours. */
  box: HTMLElement;
  content: HTMLElement;
  dismiss: (reason: DismissReason) => void;
}
