/** form_start, form_submit, form_abandon: how far the visitor came; never what they typed. */

import { selectorOf, targetOf } from "../base/dom";
import { listen } from "../base/guard";
import { cut } from "../base/read";
import type { Properties } from "../types";
import type { Capture } from "./capture";

/** A button never changes, but it can be focused; what can be written into is never a button. */
const FIELD = { focusin: ":read-write", other: "input,select,textarea" };
const MAX_NAME = 64;

interface Progress {
  touched: Set<string>;
  lastField: string;
  isSubmitted: boolean;
}

export const captureForm: Capture = ({ track, page }) => {
  let forms = new Map<HTMLFormElement, Progress>();

  const progressOf = (form: HTMLFormElement, field: string): Progress => {
    let progress = forms.get(form);
    if (!progress) {
      progress = { touched: new Set(), lastField: field, isSubmitted: false };
      forms.set(form, progress);
      track("form_start", { ...describe(form), last_field: field });
    }
    progress.lastField = field;
    return progress;
  };
  const abandon = () => {
    forms.forEach((progress, form) => {
      if (progress.touched.size && !progress.isSubmitted)
        track("form_abandon", { ...describe(form), ...summary(progress) });
    });
    forms = new Map();
  };

  listen(document, "focusin input change", (event) => {
    const isFocus = event.type === "focusin";
    const field = targetOf(event)?.closest<HTMLInputElement>(isFocus ? FIELD.focusin : FIELD.other);
    if (!field?.form) return;
    const name = nameOf(field);
    const progress = progressOf(field.form, name);
    if (isFocus) return;
    progress.touched.add(name);
    progress.isSubmitted = false;
  });
  listen(document, "submit", (event) => {
    const form = targetOf(event);
    if (!(form instanceof HTMLFormElement)) return;
    const progress = forms.get(form);
    if (progress) progress.isSubmitted = true;
    track("form_submit", { ...describe(form), ...summary(progress) });
  });
  listen(window, "pagehide", abandon);
  page.left.on(abandon);
};

function describe(form: HTMLFormElement): Properties {
  // A field named "id" or "name" hides the form's own property, so the attributes are read.
  const id = form.getAttribute("id") || form.getAttribute("name") || selectorOf(form);
  return { form_id: cut(id, MAX_NAME) };
}

function summary(progress: Progress | undefined): Properties {
  return { last_field: progress?.lastField, fields_touched: progress?.touched.size ?? 0 };
}

function nameOf(field: HTMLInputElement): string {
  return cut(field.name || field.id || field.type, MAX_NAME);
}
