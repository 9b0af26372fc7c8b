/** Questions that every capture asks of the page's elements. */

export const BANNER_ATTRIBUTE = "data-micromoment-banner";
/** Elements with a behaviour of their own, which no script has to answer for. */
export const CONTROLS = "input,select,textarea,label,video,audio,canvas,[contenteditable]";
const MAX_SELECTOR_STEPS = 4;
const MAX_SELECTOR_LENGTH = 200;
const STABLE_NAME = /^[a-z][a-z_-]*\d{0,2}$/i;

/** The page's element that an event is about; undefined for our own banners. */
export function targetOf(event: Event): Element | undefined {
  const { target } = event;
  if (!(target instanceof Element) || target.closest(`[${BANNER_ATTRIBUTE}]`)) return undefined;
  return target;
}

/** A short CSS path that names an element the same way on each visit, without any of its text. */
export function selectorOf(element: Element): string {
  const steps: string[] = [];
  let current: Element | null = element;
  while (current && current !== document.body && steps.length < MAX_SELECTOR_STEPS) {
    steps.unshift(stepOf(current));
    if (hasStableId(current)) break;
    current = current.parentElement;
  }
  // Names of elements may have characters of two halves, of which the second is not kept alone.
  return steps.join(">").slice(-MAX_SELECTOR_LENGTH).replace(/^[\udc00-\udfff]/, "");
}

function hasStableId(element: Element): boolean {
  return STABLE_NAME.test(element.id);
}

function stepOf(element: Element): string {
  const tag = element.localName;
  if (hasStableId(element)) return `${tag}#${element.id}`;
  const classes = [...element.classList].filter((name) => STABLE_NAME.test(name));
  return [tag, ...classes.slice(0, 2)].join(".");
}

/** The part of an address that names a page of this shop. */
export type PageAddress = Pick<URL, "pathname" | "search">;

/** The link around an element. */
export function linkAround(element: Element): HTMLAnchorElement | null {
  return element.closest<HTMLAnchorElement>("a[href]");
}

/** Whether an address is this page's, whatever its query. */
export function isThisPage(address: PageAddress): boolean {
  return address.pathname === location.pathname;
}

/** An http(s) address resolved against the page; undefined for any other scheme or a malformed one. */
export function resolveUrl(address: unknown): URL | undefined {
  if (typeof address !== "string" || !address) return undefined;
  try {
    const url = new URL(address, document.baseURI);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a window's own blur or focus is meant, not one of an element inside it. */
export function isWindowEvent(event: Event): boolean {
  return event.target === window;
}

/** Whether text is selected: a click that selects is reading. */
export function hasSelection(): boolean {
  return !!getSelection()?.toString();
}
