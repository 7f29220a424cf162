// The line above the box: what is wrong with the connection or with what is said; else who is typing.

import { here, waiting } from "../../state.js";
import { refusalText } from "../../words.js";
import { write } from "../row.js";

const TROUBLE_MS = 3000; // a short one is nobody's business
const LENGTH_SHOWN_FROM = 0.9; // of the limit

export class View {
  #words;
  #on;
  #state;
  #hint = document.getElementById("hint");
  #now = document.getElementById("now");
  #box = document.getElementById("say-text");
  #timer = 0;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#now.textContent = words.now;
    this.#now.addEventListener("click", () => on.hurry());
    this.#box.addEventListener("input", () => {
      if (here(this.#state).refusal) on.happen({ type: "forget" });
      this.#draw();
    });
  }

  draw(state) {
    this.#state = state;
    this.#draw();
  }

  #draw() {
    const now = performance.now();
    const { connection, awaySince, retryAt, limits } = this.#state;
    const { typing, refusal } = here(this.#state);
    const isTrouble = connection === "away" && now - awaySince >= TROUBLE_MS;
    const length = this.#box.value.length > limits.text * LENGTH_SHOWN_FROM ? Array.from(this.#box.value).length : 0;
    const typists = typing.filter(({ until }) => until > now).map(({ user }) => `\u2068${user}\u2069`);
    let text = typists.length ? this.#words.typing(typists.slice(0, 3)) : "";
    if (isTrouble) text = this.#trouble(now);
    const isRefused = refusal && !refusal.isShown;
    if (isRefused) text = refusalText(this.#words, refusal, limits);
    if (length > limits.text * LENGTH_SHOWN_FROM) text = this.#words.tooLong(length, limits.text);
    write(this.#hint, text);
    this.#hint.parentElement.classList.toggle("bad", isTrouble || Boolean(isRefused) || length > limits.text);
    this.#now.hidden = !isTrouble || retryAt <= now;
    this.#box.ariaInvalid = length > limits.text;
    clearTimeout(this.#timer);
    if (typists.length || connection === "away") this.#timer = setTimeout(() => this.#draw(), 1000);
  }

  #trouble(now) {
    const { retryAt } = this.#state;
    const unsent = waiting(this.#state);
    const next = retryAt > now ? this.#words.retry(Math.ceil((retryAt - now) / 1000)) : this.#words.trying;
    return [this.#words.away, unsent && this.#words.waiting(unsent), next].filter(Boolean).join(" ");
  }
}
