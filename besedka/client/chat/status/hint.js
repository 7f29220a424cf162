// The line above the box: problems of the connection or the message, else the people typing, else that nobody may post.

import { here } from "../state.js";
import { refusalText } from "../language.js";
import { inSentence } from "../messages/naming.js";
import { write } from "../view/row.js";

const TROUBLE_MS = 3000; // shorter ones are not shown
const LENGTH_SHOWN_FROM = 0.9; // of the limit

export class View {
  #strings;
  /** @type {State} */
  #state;
  #hint = document.getElementById("hint");
  #now = document.getElementById("now");
  #box = document.getElementById("say-text");
  #timer = 0;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#now.textContent = strings.now;
    this.#now.addEventListener("click", () => actions.app().wake());
    this.#box.addEventListener("input", () => {
      if (here(this.#state).refusal) actions.dispatch({ type: "clearRefusal" });
      this.#draw();
    });
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
    this.#draw();
  }

  #draw() {
    const now = performance.now();
    const { connection, awaySince, retryAt, limits } = this.#state;
    const { typing, refusal, isArchived } = here(this.#state);
    const isTrouble = connection === "away" && now - awaySince >= TROUBLE_MS;
    const length = this.#box.value.length > limits.text * LENGTH_SHOWN_FROM ? Array.from(this.#box.value).length : 0;
    const typists = typing.filter(({ until }) => until > now).map(({ user }) => `\u2068${inSentence(user, this.#strings.quotes)}\u2069`);
    let text = isArchived ? refusalText(this.#strings, { code: "room_archived" }, limits) : "";
    if (typists.length) text = this.#strings.typing(typists.slice(0, 3));
    if (isTrouble) text = this.#trouble(now);
    const isRefused = refusal && !refusal.isShown;
    if (isRefused) text = refusalText(this.#strings, refusal, limits);
    if (length > limits.text * LENGTH_SHOWN_FROM) text = this.#strings.tooLong(length, limits.text);
    write(this.#hint, text);
    this.#hint.parentElement.classList.toggle("bad", isTrouble || Boolean(isRefused) || length > limits.text);
    this.#now.hidden = !isTrouble || retryAt <= now;
    this.#box.ariaInvalid = String(length > limits.text);
    clearTimeout(this.#timer);
    if (typists.length || connection === "away") this.#timer = setTimeout(() => this.#draw(), 1000);
  }

  #trouble(now) {
    const { retryAt } = this.#state;
    const unsent = Object.values(this.#state.rooms).reduce((sum, { outbox }) => sum + outbox.length, 0);
    const next = retryAt > now ? this.#strings.nextTry(Math.ceil((retryAt - now) / 1000)) : this.#strings.trying;
    return [this.#strings.away, unsent && this.#strings.waiting(unsent), next].filter(Boolean).join(" ");
  }
}
