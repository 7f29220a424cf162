// Where one writes: Enter sends, Shift-Enter breaks the line, and an input method is left in peace.

import { refusalText } from "../words.js";

const TYPING_EVERY_MS = 3000;
const LENGTH_SHOWN_FROM = 0.9; // of the limit
const AWAY_SHOWN_AFTER_MS = 1500; // a short trouble is nobody's business

export class ComposerView {
  #words;
  #on;
  #form = document.getElementById("say-form");
  #text = document.getElementById("say-text");
  #hint = document.getElementById("hint");
  #state = null;
  #typedAt = 0;
  #timer = 0;
  #awaySince = 0;

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
      // On a phone there is no Shift, and a button to send stands beside: there Enter breaks the line.
      const breaks = event.shiftKey || matchMedia("(pointer: coarse)").matches;
      if (event.key !== "Enter" || breaks || event.isComposing || event.keyCode === 229) return;
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
    this.#awaySince = connection === "open" ? 0 : this.#awaySince || Date.now();
    const isAway = this.#awaySince && Date.now() - this.#awaySince >= AWAY_SHOWN_AFTER_MS;
    const waiting = outbox.length ? ` ${this.#words.waiting(outbox.length)}` : "";
    let hint = "";
    if (length > limits.text * LENGTH_SHOWN_FROM) hint = this.#words.tooLong(length, limits.text);
    else if (refusal) hint = refusalText(this.#words, refusal, limits);
    else if (isAway) hint = this.#words.away + waiting;
    else if (typists.length) hint = this.#words.typing(typists.slice(0, 3));
    this.#hint.textContent = hint;
    this.#hint.classList.toggle("bad", tooLong || Boolean(refusal || isAway));
    clearTimeout(this.#timer);
    if (typists.length || this.#awaySince) this.#timer = setTimeout(() => this.#drawHint(), 1000);
  }
}
