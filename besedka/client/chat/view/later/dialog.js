// A dialog of the page's own: a title, and a way to close it. The browser keeps the focus inside.

import { line } from "../row.js";
import { CLOSE, iconButton } from "./icon.js";

export function dialog(name, title, words) {
  const element = line("dialog", `panel ${name}`, "");
  element.setAttribute("aria-labelledby", `${name}-title`);
  element.append(head(name, title, words, () => element.close()));
  // A click beside the panel closes it.
  element.addEventListener("click", ({ target }) => target === element && element.close());
  document.body.append(element);
  return element;
}

/** What stands at the top of a panel. */
export function head(name, title, words, close) {
  const element = line("header", "", "");
  const button = iconButton(CLOSE, words.close);
  button.addEventListener("click", close);
  element.append(Object.assign(line("h2", "", title), { id: `${name}-title` }), button);
  return element;
}
