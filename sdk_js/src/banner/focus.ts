/** Keeps the keyboard inside a modal banner. */

/** Moves the focus among the banner's controls as in a circle, where the browser would leave for its own. */
export function cycleFocus(root: ShadowRoot, event: KeyboardEvent): void {
  const controls: Element[] = [...root.querySelectorAll("a[href],button")];
  const step = event.shiftKey ? controls.length - 1 : 1;
  const next = root.activeElement ? controls.indexOf(root.activeElement) + step : 0;
  (controls[next % controls.length] as HTMLElement).focus();
  event.preventDefault();
}
