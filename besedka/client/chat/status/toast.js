// Toasts: outcomes and refusals, shown for some seconds.

import { refusalText } from "../language.js";
import { line } from "../view/row.js";

const SHOWN_MS = 7000;

export class View {
  #strings;
  #actions;
  #element = line("p", "toast", "");
  #shown = null;
  #timer = 0;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#element.role = "status";
    this.#element.popover = "manual"; // above the dialogs too
    document.body.append(this.#element);
    this.#element.addEventListener("click", ({ target }) => {
      const { left } = this.#shown;
      if (left && target.closest("button")) actions.dispatch({ type: "undoLeave", ...left });
      else actions.dispatch({ type: "toast", toast: null });
    });
  }

  /** @param {State} state */
  draw({ toast, limits }) {
    if (toast === this.#shown) return;
    this.#shown = toast;
    clearTimeout(this.#timer);
    if (this.#element.matches(":popover-open")) this.#element.hidePopover();
    if (!toast) return;
    this.#element.showPopover();
    const { code, word, text, left } = toast;
    this.#element.classList.toggle("bad", Boolean(code));
    this.#element.textContent = code ? refusalText(this.#strings, toast, limits) : word ? this.#strings[word](toast) : text;
    if (left) this.#element.append(line("button", "", this.#strings.undo));
    this.#timer = setTimeout(() => this.#actions.dispatch({ type: "toast", toast: null }), SHOWN_MS);
  }
}
