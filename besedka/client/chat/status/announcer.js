// Announcements for screen readers: new messages and changes of the connection. Never old messages, which is why the log
// is not a live region.

import { here } from "../state.js";
import { refusalText } from "../language.js";

const PAUSE_MS = 1500;
const ANNOUNCED_AT_MOST = 3;
const TROUBLE_MS = 3000;

export class View {
  #strings;
  #news = document.getElementById("news");
  /** @type {State} */
  #state;
  #announced = 0; // the id of the last message
  #isLossAnnounced = false;
  #waiting = [];
  #timer = 0;
  #trouble = 0;

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
  }

  /** @param {State} state */
  draw(state) {
    const { name, rows, lastId, refusal } = here(state);
    const before = this.#state && here(this.#state);
    if (name === before?.name) {
      const received = lastId > this.#announced ? rows.filter(({ id, live, own }) => live && !own && id > this.#announced) : [];
      for (const { user, text, isUnverified } of received) this.#announce(`${user}${isUnverified ? ` (${this.#strings.unverifiedShort})` : ""}: ${text}`);
      if (refusal && refusal !== before.refusal) this.#announce(refusalText(this.#strings, refusal, state.limits));
    }
    this.#announced = lastId;
    if (state.connection !== this.#state?.connection) this.#connection(state.connection);
    this.#state = state;
  }

  #connection(is) {
    clearTimeout(this.#trouble);
    if (is === "away") {
      this.#trouble = setTimeout(() => {
        this.#isLossAnnounced = true;
        this.#announce(this.#strings.away);
      }, TROUBLE_MS);
    } else if (this.#isLossAnnounced) {
      this.#isLossAnnounced = false;
      this.#announce(this.#strings.back);
    }
  }

  #announce(text) {
    this.#waiting.push(text);
    this.#timer ||= setTimeout(() => this.#speak(), 100);
  }

  #speak() {
    const { length } = this.#waiting;
    this.#news.textContent = length > ANNOUNCED_AT_MOST ? this.#strings.newMessages(length) : this.#waiting.join("\n");
    this.#waiting = [];
    this.#timer = length ? setTimeout(() => this.#speak(), PAUSE_MS) : 0;
  }
}
