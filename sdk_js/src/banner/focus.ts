/** Where the keyboard is while a banner is open, and where it goes afterwards. */

/** Moves the focus among the banner's controls as in a circle, where the browser would leave for its own. */
export function cycleFocus(root: ShadowRoot, event: KeyboardEvent): void {
  const controls: Element[] = [...root.querySelectorAll("a[href],button")];
  const step = event.shiftKey ? controls.length - 1 : 1;
  const next = root.activeElement ? controls.indexOf(root.activeElement) + step : 0;
  (controls[next % controls.length] as HTMLElement).focus();
  event.preventDefault();
}

/** Remembers where the focus came from; the returned function puts it back there if it is in the banner. */
export function keepFocus(root: ShadowRoot): () => void {
  let origin: EventTarget | null = document.activeElement;
  root.addEventListener("focusin", (event) => {
    const { relatedTarget } = event as FocusEvent;
    if (relatedTarget && !root.contains(relatedTarget as Node)) origin = relatedTarget;
  });
  return () => {
    if (root.activeElement) (origin as HTMLElement | null)?.focus?.({ preventScroll: true });
  };
}
