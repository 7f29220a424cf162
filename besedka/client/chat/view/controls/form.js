// Small parts of forms.

import { line } from "../row.js";

/** A radio button or a checkbox, with its label. */
export function choice(kind, text) {
  const label = line("label", "row", "");
  label.append(Object.assign(document.createElement("input"), kind), ` ${text}`);
  return label;
}

/** A field with its name above it. */
export function field(name, input) {
  const label = line("label", "field", "");
  label.append(line("span", "", name), input);
  return label;
}

/** A field that narrows a list as one types. */
export function filterBox(name, act) {
  const attributes = { type: "search", autocomplete: "off", spellcheck: false, dir: "auto", placeholder: name, ariaLabel: name };
  const input = Object.assign(document.createElement("input"), attributes);
  input.addEventListener("input", act);
  return input;
}

/** How many entries a list has at least that can be narrowed. */
export const FILTERED_FROM = 12;

/** @param options [[value, text]] */
export function select(options, value) {
  const element = document.createElement("select");
  element.append(...options.map(([value, text]) => Object.assign(line("option", "", text), { value })));
  element.value = value;
  return element;
}

/** A button that submits no form. */
export function button(className, text, act) {
  const element = Object.assign(line("button", className, text), { type: "button" });
  element.addEventListener("click", act);
  return element;
}
