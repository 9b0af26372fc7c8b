// Everything works without this file; it saves a click here and there.
"use strict";

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

document.documentElement.classList.add("scripted");
setUpSubmitOnChange();
setUpGallery();
setUpTabs();
setUpStepper();
setUpShare();

/** Fields that send their form by themselves, and the listing's sort order. */
function setUpSubmitOnChange() {
  for (const field of all("[data-submit], .filters select")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }
}

/** Thumbnails and colours change the large picture in place. */
function setUpGallery() {
  const main = one("#gallery-main");
  if (!main) return;
  const show = (view, colour) => {
    const address = new URL(main.src);
    if (view) address.searchParams.set("view", view);
    if (colour) address.searchParams.set("colour", colour);
    main.src = address.href;
  };
  const thumbs = all(".thumb");
  for (const thumb of thumbs) {
    thumb.addEventListener("click", (event) => {
      event.preventDefault();
      for (const other of thumbs) other.removeAttribute("aria-current");
      thumb.setAttribute("aria-current", "true");
      show(new URL(thumb.href).searchParams.get("view"), null);
    });
  }
  for (const choice of all("input[name=colour]")) {
    choice.addEventListener("change", () => {
      show(null, choice.value);
      main.alt = main.alt.replace(/ in [^]*$/, ` in ${choice.parentElement.textContent.trim()}`);
      for (const picture of all(".thumb img")) {
        const address = new URL(picture.src);
        address.searchParams.set("colour", choice.value);
        picture.src = address.href;
      }
    });
  }
}

/** Turns the sections below a product into tabs, as the ARIA practices describe them. */
function setUpTabs() {
  const frame = one("#tabs");
  if (!frame) return;
  const panels = all(":scope > section", frame);
  const list = document.createElement("div");
  list.className = "tab-list";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "About this product");
  const tabs = panels.map((panel) => {
    const heading = one("h2", panel);
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `tab-${panel.id}`;
    tab.textContent = heading.textContent;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    heading.classList.add("hidden");
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    panel.tabIndex = 0;
    list.append(tab);
    return tab;
  });
  const select = (chosen) => {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    });
  };
  const moves = { ArrowRight: (index) => index + 1, ArrowLeft: (index) => index - 1, Home: () => 0, End: () => tabs.length - 1 };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => select(index));
    tab.addEventListener("keydown", (event) => {
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      const next = (move(index) + tabs.length) % tabs.length;
      select(next);
      tabs[next].focus();
    });
  });
  frame.prepend(list);
  select(0);
}

/** Puts minus and plus beside the quantity. */
function setUpStepper() {
  const field = one(".stepper input");
  if (!field) return;
  const button = (sign, label, step) => {
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = sign;
    element.setAttribute("aria-label", label);
    element.addEventListener("click", () => {
      const wanted = (Number(field.value) || 1) + step;
      field.value = String(Math.min(Number(field.max), Math.max(Number(field.min), wanted)));
    });
    return element;
  };
  field.before(button("−", "One less", -1));
  field.after(button("+", "One more", 1));
}

/** Shares the page by the system's dialogue where there is one, else by copying its address. */
function setUpShare() {
  const button = one("#share");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const method = navigator.share ? "dialogue" : "link";
    const sku = one(".facts div:last-child dd").textContent.trim();
    dataLayer.push({ event: "share", method, content_type: "product", item_id: sku });
    const state = one("#share-state");
    try {
      await (navigator.share
        ? navigator.share({ title: document.title, url: location.href })
        : navigator.clipboard.writeText(location.href));
      if (method === "link") state.textContent = "Link copied";
    } catch {
      if (method === "link") state.textContent = location.href;
    }
  });
}
