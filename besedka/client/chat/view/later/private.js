// Make a private room.

import { roomName } from "../../protocol.js";
import { line } from "../row.js";
import { dialog } from "./dialog.js";
import { field } from "./form.js";

export class View {
  #dialog;
  #input = Object.assign(document.createElement("input"), { autocomplete: "off", autocapitalize: "none", spellcheck: false, dir: "auto" });

  constructor(words, on) {
    const form = line("form", "", "");
    this.#dialog = dialog("private", words.newPrivate, words);
    form.append(line("p", "lead", words.privateLead), field(words.goToHint, this.#input), line("button", "primary wide", words.makePrivate));
    this.#dialog.append(form);
    this.#input.addEventListener("input", () => this.#input.setCustomValidity(""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const room = roomName(this.#input.value);
      if (!room) {
        this.#input.setCustomValidity(words.refusals.bad_room({ room: 32 }));
        return this.#input.reportValidity();
      }
      this.#dialog.close();
      on.around().ask({ type: "private", room });
    });
  }

  open(_, name = "") {
    this.#input.value = name;
    this.#dialog.showModal();
    this.#input.focus();
  }

  draw() {}
}
