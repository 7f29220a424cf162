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
