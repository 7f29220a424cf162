// Copies a text, also where browsers give the page no clipboard: on plain http:// in a LAN.

import { COPY, DONE, icon } from "../view/controls/icon.js";

const DONE_MS = 1500;

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Copies a text at the press of this button, which says so for a moment. */
export async function copyFrom(button, text, strings, drawing = COPY) {
  const isCopied = await copy(text);
  const name = button.title;
  button.ariaLabel = strings[isCopied ? "copied" : "notCopied"];
  if (isCopied) button.replaceChildren(icon(DONE));
  setTimeout(() => {
    button.ariaLabel = name;
    button.replaceChildren(icon(drawing));
  }, DONE_MS);
}

function copyBySelection(text) {
  const activeElement = /** @type {HTMLElement} */ (document.activeElement);
  const box = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
  (activeElement?.closest("dialog") ?? document.body).append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  activeElement?.focus();
  return isCopied;
}
