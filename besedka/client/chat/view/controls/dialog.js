// A dialog with a title and a button to close it. The browser keeps the focus inside.

import { line } from "../row.js";
import { CLOSE, iconButton } from "./icon.js";

export function dialog(name, title, strings) {
  const element = line("dialog", `panel ${name}`, "");
  element.setAttribute("aria-labelledby", `${name}-title`);
  element.append(head(name, title, strings, () => element.close()));
  // A click beside the panel closes it.
  element.addEventListener("click", ({ target }) => target === element && element.close());
  document.body.append(element);
  return element;
}

/** The head of a panel. */
export function head(name, title, strings, close) {
  const element = line("header", "", "");
  const button = iconButton(CLOSE, strings.close);
  button.addEventListener("click", close);
  element.append(Object.assign(line("h2", "", title), { id: `${name}-title` }), button);
  return element;
}
