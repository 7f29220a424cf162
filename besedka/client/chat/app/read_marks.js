// Sends how far the user has read, for their other devices: seldom, and only while they can see it.

import { isMarkDue } from "../reading/state.js";

const SEND_MS = 2500; // by then there is often more to send

export class ReadMarks {
  #dispatch;
  #rooms = {}; // as they were looked at last
  #timer = 0;

  /** @param {Parts["dispatch"]} dispatch */
  constructor(dispatch) {
    this.#dispatch = dispatch;
    document.addEventListener("visibilitychange", () => this.#look(document.hidden));
    addEventListener("pagehide", () => this.#send());
  }

  /** Follows the state. @param {State} state */
  changed({ rooms }) {
    if (rooms === this.#rooms) return;
    this.#rooms = rooms;
    this.#look(false);
  }

  // Whoever turns to something else takes their mark with them.
  #look(isLeaving) {
    if (isLeaving) this.#send();
    else if (!this.#timer && !document.hidden && this.#due().length) this.#timer = setTimeout(() => this.#send(), SEND_MS);
  }

  #due() {
    return Object.values(this.#rooms).filter(isMarkDue);
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const { name } of this.#due()) this.#dispatch({ type: "markRead", name });
  }
}
