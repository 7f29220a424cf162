// Where one writes: Enter sends, Shift-Enter breaks the line, and an input method is left in peace.

import { here } from "../state.js";

const TYPING_EVERY_MS = 3000;
const touch = matchMedia("(pointer: coarse)");

export class ComposerView {
  #on;
  #box = document.getElementById("say-text");
  #state = {};
  #typedAt = -Infinity;

  constructor(words, on) {
    this.#on = on;
    this.#box.placeholder = words.message;
    this.#box.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    this.#box.addEventListener("input", () => this.#typed());
  }

  draw(state) {
    const { scene, current } = this.#state;
    this.#state = state;
    if (state.scene === scene && state.current === current) return;
    // What was begun in this room stands in the box again.
    this.#write(this.#on.draft(state.current));
    if (state.scene === "chat" && !(touch.matches && scene === "chat")) this.#box.focus();
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    // On a phone there is no Shift, and a button to send stands beside: there Enter breaks the line.
    if (event.key === "Enter" && !event.shiftKey && !touch.matches) {
      event.preventDefault();
      this.#say();
    } else if (event.key === "ArrowUp" && !this.#box.value) {
      const last = here(this.#state).rows.findLast(({ own }) => own);
      if (!last) return;
      event.preventDefault();
      this.#write(last.text);
      this.#on.keepDraft(this.#state.current, last.text);
    }
  }

  #say() {
    const text = this.#box.value;
    if (!text.trim() || Array.from(text).length > this.#state.limits.text || !this.#on.say(text)) return;
    this.#write("");
    this.#on.keepDraft(this.#state.current, "");
    this.#typedAt = -Infinity;
    this.#box.focus();
  }

  #typed() {
    const { value } = this.#box;
    this.#write(value, false);
    this.#on.keepDraft(this.#state.current, value);
    if (!value || /^\/(?!\/|me\s)/.test(value) || performance.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = performance.now();
    this.#on.happen({ type: "typing" });
  }

  #write(text) {
    if (this.#box.value !== text) this.#box.value = text;
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}
