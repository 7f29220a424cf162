// What is told for a moment: that something was done, or why not.

import { refusalText } from "../../words.js";
import { line } from "../row.js";

const SHOWN_MS = 7000;

export class View {
  #words;
  #on;
  #element = line("p", "note", "");
  #note = null;
  #timer = 0;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#element.role = "status";
    this.#element.popover = "manual"; // above the dialogs too
    document.body.append(this.#element);
    this.#element.addEventListener("click", () => on.happen({ type: "note", note: null }));
  }

  draw({ note, limits }) {
    if (note === this.#note) return;
    this.#note = note;
    clearTimeout(this.#timer);
    if (this.#element.matches(":popover-open")) this.#element.hidePopover();
    if (!note) return;
    this.#element.showPopover();
    const { code, word, text } = note;
    this.#element.classList.toggle("bad", Boolean(code));
    this.#element.textContent = code ? refusalText(this.#words, note, limits) : word ? this.#words[word] : text;
    this.#timer = setTimeout(() => this.#on.happen({ type: "note", note: null }), SHOWN_MS);
  }
}
