// The line above the log that says that its messages are from this device.

import { here } from "../state.js";
import { line, write } from "../view/row.js";
import { hasKept } from "./state.js";

export class View {
  #strings;
  #line = line("p", "from-device", "");

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
    this.#line.role = "status";
    document.getElementById("log").before(this.#line);
  }

  /** @param {State} state */
  draw(state) {
    const room = here(state);
    const isFromDevice = hasKept(room) && !room.isJoined;
    write(this.#line, isFromDevice ? this.#strings.fromDevice(state.connection === "away") : "");
  }
}
