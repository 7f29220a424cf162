// Sends typing notifications, and brings the last message back into an empty box.

import { here } from "../state.js";

export const TYPING_SENT_EVERY_MS = 3000;
const COMMAND = /^\/(?!\/|me\s)/;

export class View {
  #actions;
  #box = document.getElementById("say-text");
  /** @type {State} */
  #state;
  #sentAt = -Infinity;
  #isRecalling = false;

  constructor(_, actions) {
    this.#actions = actions;
    this.#box.addEventListener("input", () => this.#typed());
    this.#box.form.addEventListener("submit", () => (this.#sentAt = -Infinity));
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
  }

  #typed() {
    const { value } = this.#box;
    if (!value || this.#isRecalling || COMMAND.test(value) || performance.now() - this.#sentAt < TYPING_SENT_EVERY_MS) return;
    this.#sentAt = performance.now();
    this.#actions.dispatch({ type: "typing" });
  }

  #pressed(event) {
    if (event.key !== "ArrowUp" || event.defaultPrevented || event.isComposing || this.#box.value) return;
    const last = here(this.#state).rows.findLast(({ own }) => own);
    if (!last) return;
    event.preventDefault();
    this.#box.value = last.text;
    this.#isRecalling = true;
    this.#box.dispatchEvent(new Event("input", { bubbles: true }));
    this.#isRecalling = false;
  }
}
