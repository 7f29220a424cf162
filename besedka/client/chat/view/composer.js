// The box for a message: Enter sends, Shift+Enter breaks the line, and input methods are left alone.

import { preferences } from "../preferences.js";

const touch = matchMedia("(pointer: coarse)");

export class ComposerView {
  #actions;
  #box = document.getElementById("say-text");
  #state = {};

  constructor(strings, actions) {
    this.#actions = actions;
    this.#box.placeholder = strings.message;
    this.#box.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    this.#box.addEventListener("input", () => {
      this.#write(this.#box.value);
      actions.keepDraft(this.#state.current, this.#box.value);
    });
  }

  draw(state) {
    const { scene, current } = this.#state;
    this.#state = state;
    if (state.scene === scene && state.current === current) return;
    this.#write(this.#actions.draft(state.current));
    if (state.scene === "chat" && !(touch.matches && scene === "chat")) this.#box.focus();
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    // A phone has no Shift, and a button beside the box sends: there Enter breaks the line.
    const isAsked = event.ctrlKey || event.metaKey || (preferences().send === "enter" && !touch.matches);
    if (event.key !== "Enter" || event.shiftKey || !isAsked) return;
    event.preventDefault();
    this.#box.form.requestSubmit();
  }

  #submit() {
    const text = this.#box.value;
    if (!text.trim() || Array.from(text).length > this.#state.limits.text || !this.#actions.submit(text)) return;
    this.#write("");
    this.#actions.keepDraft(this.#state.current, "");
    this.#box.focus();
  }

  #write(text) {
    if (this.#box.value !== text) this.#box.value = text;
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}
