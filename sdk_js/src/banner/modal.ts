/** A dialog in the middle of the screen, which waits for an answer. */

import { guarded } from "../base/guard";
import { cycleFocus } from "./focus";
import type { Frame } from "./frame";

/** Opens the dialog; the browser keeps the rest of the page inert and gives the focus back on close. */
export function openModal({ root, box, content, dismiss }: Frame): void {
  const dialog = box as HTMLDialogElement;
  const on = <Kind extends Event>(type: string, handler: (event: Kind) => void) =>
    dialog.addEventListener(type, guarded(handler) as EventListener);
  on<KeyboardEvent>("keydown", (event) => {
    if (event.key === "Tab") cycleFocus(root, event);
  });
  on("click", (event) => {
    if (event.target === dialog) dismiss("backdrop");
  });
  // The browser also closes a dialog by gestures of its own, without any key.
  on("close", () => dismiss("escape"));
  dialog.setAttribute("aria-modal", "true");
  dialog.append(content);
  root.append(dialog);
  if (dialog.showModal) dialog.showModal();
  else dialog.setAttribute("open", "");
  dialog.querySelector<HTMLElement>("a[href],button")?.focus();
}
