// What a screen reader tells by itself: what is said from now on, and what has become of the connection. Never what
// was said before: that is why the log is no live region.

import { here } from "../../state.js";
import { refusalText } from "../../words.js";

const PAUSE_MS = 1500;
const TOLD_AT_MOST = 3;
const TROUBLE_MS = 3000;

export class View {
  #words;
  #news = document.getElementById("news");
  #state;
  #told = 0; // the last message that was told
  #wasTold = false; // that the connection is lost
  #waiting = [];
  #timer = 0;
  #trouble = 0;

  constructor(words) {
    this.#words = words;
  }

  draw(state) {
    const { name, rows, lastId, refusal } = here(state);
    const before = this.#state && here(this.#state);
    if (name === before?.name) {
      const heard = lastId > this.#told ? rows.filter(({ id, live, own }) => live && !own && id > this.#told) : [];
      for (const { user, text, isDoubtful } of heard) this.#tell(`${user}${isDoubtful ? ` (${this.#words.doubtSaid})` : ""}: ${text}`);
      if (refusal && refusal !== before.refusal) this.#tell(refusalText(this.#words, refusal, state.limits));
    }
    this.#told = lastId;
    if (state.connection !== this.#state?.connection) this.#connection(state.connection);
    this.#state = state;
  }

  #connection(is) {
    clearTimeout(this.#trouble);
    if (is === "away") {
      this.#trouble = setTimeout(() => {
        this.#wasTold = true;
        this.#tell(this.#words.away);
      }, TROUBLE_MS);
    } else if (this.#wasTold) {
      this.#wasTold = false;
      this.#tell(this.#words.back);
    }
  }

  #tell(text) {
    this.#waiting.push(text);
    this.#timer ||= setTimeout(() => this.#speak(), 100);
  }

  #speak() {
    const { length } = this.#waiting;
    this.#news.textContent = length > TOLD_AT_MOST ? this.#words.newMessages(length) : this.#waiting.join("\n");
    this.#waiting = [];
    this.#timer = length ? setTimeout(() => this.#speak(), PAUSE_MS) : 0;
  }
}
