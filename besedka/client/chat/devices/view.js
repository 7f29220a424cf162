// Adds a device: shows a link, valid once and for some minutes.

import { line, write } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { button } from "../view/controls/form.js";
import { linkBox } from "../sharing/link_box.js";

export class View {
  #strings;
  #actions;
  #dialog;
  #body = line("div", "", "");
  #left = line("p", "left", "");
  #link = null; // the newest link shown
  #isWanted = false;
  #timer = 0;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#dialog = dialog("device", strings.addDevice, strings);
    this.#dialog.append(line("p", "lead", strings.deviceLead), this.#left, this.#body);
    this.#left.role = "timer";
    this.#dialog.addEventListener("close", () => {
      this.#isWanted = false;
      this.#show(null);
    });
  }

  open(state, about) {
    this.#isWanted = true;
    // A command has requested the link already.
    if (about !== "requested") this.#request();
    this.draw(state);
  }

  // The panel opens with the link: until then the request may be refused.
  /** @param {State} state */
  draw({ deviceLink, scene }) {
    if (scene !== "chat") this.#dialog.close();
    if (!deviceLink || deviceLink === this.#link || !this.#isWanted) return;
    this.#link = deviceLink;
    this.#show(deviceLink);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#body.querySelector("button").focus();
  }

  #request() {
    this.#actions.app().addDevice();
  }

  #show(link) {
    clearInterval(this.#timer);
    this.#left.textContent = "";
    if (!link) return this.#body.replaceChildren();
    this.#body.replaceChildren(linkBox(this.#actions.app().deviceLink(link), this.#strings.deviceLink, this.#strings));
    this.#timer = setInterval(() => this.#count(link), 1000);
    this.#count(link);
  }

  #count({ until }) {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    if (seconds > 0) return write(this.#left, this.#strings.timeLeft(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`));
    clearInterval(this.#timer);
    write(this.#left, this.#strings.tooOld);
    this.#body.replaceChildren(button("primary", this.#strings.anew, () => this.#request()));
  }
}
