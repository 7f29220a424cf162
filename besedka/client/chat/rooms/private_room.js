// Makes a private room.

import { ROOM_CHARACTERS_AT_MOST, roomName } from "../protocol.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { field } from "../view/controls/form.js";

export class View {
  #dialog;
  #input = Object.assign(document.createElement("input"), { autocomplete: "off", autocapitalize: "none", spellcheck: false, dir: "auto" });

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    const form = line("form", "", "");
    this.#dialog = dialog("private", strings.newPrivate, strings);
    form.append(line("p", "lead", strings.privateLead), field(strings.goToHint, this.#input), line("button", "primary wide", strings.makePrivate));
    this.#dialog.append(form);
    this.#input.addEventListener("input", () => this.#input.setCustomValidity(""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const room = roomName(this.#input.value);
      if (!room) {
        this.#input.setCustomValidity(strings.refusals.bad_room({ room: ROOM_CHARACTERS_AT_MOST }));
        return this.#input.reportValidity();
      }
      this.#dialog.close();
      actions.app().request({ type: "private", room });
    });
  }

  open(_, name = "") {
    this.#input.value = name;
    this.#dialog.showModal();
    this.#input.focus();
  }

  draw() {}
}
