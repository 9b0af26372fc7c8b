/** Makes the elements of a banner. */

/** An element with a class and a text; the text is never read as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  text = "",
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  created.className = className;
  created.textContent = text;
  return created;
}

/** A button that calls back when it is used. */
export function button(className: string, text: string): HTMLButtonElement {
  const created = element("button", className, text);
  created.type = "button";
  return created;
}
