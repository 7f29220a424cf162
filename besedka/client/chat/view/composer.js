// Where one writes: Enter sends, Shift-Enter breaks the line, and an input method is left in peace.

import { refusalText } from "../words.js";

const TYPING_EVERY_MS = 3000;
const LENGTH_SHOWN_FROM = 0.9; // of the limit

export class ComposerView {
  #words;
  #on;
  #form = document.getElementById("say-form");
  #text = document.getElementById("say-text");
  #hint = document.getElementById("hint");
  #state = null;
  #typedAt = 0;
  #timer = 0;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#text.placeholder = words.message;
    this.#text.setAttribute("aria-label", words.message);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#say();
    });
    this.#text.addEventListener("input", () => this.#typed());
  }

  draw(state) {
    const cameIn = state.scene === "chat" && this.#state?.scene !== "chat";
    this.#state = state;
    if (cameIn) this.#text.focus();
    this.#drawHint();
  }

  #say() {
    const text = this.#text.value;
    if (!text.trim() || this.#length() > this.#state.limits.text) return;
    this.#on.say(text);
    this.#text.value = "";
    this.#typedAt = 0;
    this.#grow();
    this.#text.focus();
  }

  #typed() {
    this.#grow();
    this.#drawHint();
    if (Date.now() - this.#typedAt < TYPING_EVERY_MS || !this.#text.value) return;
    this.#typedAt = Date.now();
    this.#on.typing();
  }

  // For browsers without field-sizing.
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #length() {
    return Array.from(this.#text.value).length;
  }

  #drawHint() {
    const { typing, refusal, outbox, connection, limits, me } = this.#state;
    const length = this.#length();
    const typists = typing.filter((one) => one.until > Date.now() && one.user !== me).map((one) => one.user);
    const tooLong = length > limits.text;
    let hint = "";
    if (length > limits.text * LENGTH_SHOWN_FROM) hint = this.#words.tooLong(length, limits.text);
    else if (refusal) hint = refusalText(this.#words, refusal, limits);
    else if (outbox.length && connection !== "open") hint = this.#words.waiting(outbox.length);
    else if (typists.length) hint = this.#words.typing(typists.slice(0, 3));
    this.#hint.textContent = hint;
    this.#hint.classList.toggle("bad", tooLong || Boolean(refusal));
    clearTimeout(this.#timer);
    if (typists.length) this.#timer = setTimeout(() => this.#drawHint(), 1000);
  }
}
