// The room's log on the screen. It stays at its end; reading/view.js adds scrolling up.

import { here } from "../state.js";
import { Rows } from "./rows.js";

export class LogView {
  #log = document.getElementById("log");
  #empty = document.getElementById("empty");
  #room = {};
  #rows;

  constructor(strings) {
    this.#rows = new Rows(strings);
  }

  draw(state) {
    const before = this.#room;
    const room = here(state);
    if (room === before) return;
    this.#room = room;
    this.#empty.hidden = room.rows.length > 0 || !room.isJoined;
    this.scroll(room, before, (shown = room) => this.#rows.draw(shown, state));
  }

  /** Formats the rows with this function from now on. */
  formatWith(format, state) {
    const { name } = this.#room;
    this.scroll(this.#room, { name }, () => this.#rows.formatWith(format, state));
  }

  /** Changes the rows, and scrolls to the reader's position. */
  scroll(room, before, change) {
    if (room.rows !== before.rows) change();
    this.#log.scrollTop = this.#log.scrollHeight;
  }
}
