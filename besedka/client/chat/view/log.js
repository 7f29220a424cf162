// The log of the room one looks at. It stays at its end; later/reading.js lets one read further up.

import { here } from "../state.js";
import { Rows } from "./rows.js";

export class LogView {
  #log = document.getElementById("log");
  #empty = document.getElementById("empty");
  #room = {};
  #rows;

  constructor(words) {
    this.#rows = new Rows(words);
  }

  draw(state) {
    const before = this.#room;
    const room = here(state);
    if (room === before) return;
    this.#room = room;
    this.#empty.hidden = room.rows.length > 0 || !room.isIn;
    this.scroll(room, before, () => this.#rows.draw(room, state));
  }

  /** The rows are dressed by this from now on. */
  dressBy(dress, state) {
    const { name } = this.#room;
    this.scroll(this.#room, { name }, () => this.#rows.dressBy(dress, state));
  }

  /** Lets the rows change, and scrolls to where one reads. */
  scroll(room, before, change) {
    if (room.rows !== before.rows) change();
    this.#log.scrollTop = this.#log.scrollHeight;
  }
}
