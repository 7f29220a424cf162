// Add a device: a link by which another device becomes the same person, once and soon.

import { line, write } from "../row.js";
import { dialog } from "./dialog.js";
import { button } from "./form.js";
import { linkBox } from "./link.js";

export class View {
  #words;
  #on;
  #dialog;
  #body = line("div", "", "");
  #left = line("p", "left", "");
  #link = null; // the newest one that was shown
  #isWanted = false;
  #timer = 0;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#dialog = dialog("device", words.addDevice, words);
    this.#dialog.append(line("p", "lead", words.deviceLead), this.#left, this.#body);
    this.#left.role = "timer";
    this.#dialog.addEventListener("close", () => {
      this.#isWanted = false;
      this.#show(null);
    });
  }

  open(state, about) {
    this.#isWanted = true;
    // A command has asked already.
    if (about !== "asked") this.#ask();
    this.draw(state);
  }

  // It is shown when the link is there: until then it may be refused.
  draw({ deviceLink, scene }) {
    if (scene !== "chat") this.#dialog.close();
    if (!deviceLink || deviceLink === this.#link || !this.#isWanted) return;
    this.#link = deviceLink;
    this.#show(deviceLink);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#body.querySelector("button").focus();
  }

  #ask() {
    this.#on.around().addDevice();
  }

  #show(link) {
    clearInterval(this.#timer);
    this.#left.textContent = "";
    if (!link) return this.#body.replaceChildren();
    this.#body.replaceChildren(linkBox(this.#on.around().deviceLink(link), this.#words.deviceLink, this.#words));
    this.#timer = setInterval(() => this.#count(link), 1000);
    this.#count(link);
  }

  #count({ until }) {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    if (seconds > 0) return write(this.#left, this.#words.timeLeft(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`));
    clearInterval(this.#timer);
    write(this.#left, this.#words.tooOld);
    this.#body.replaceChildren(button("primary", this.#words.anew, () => this.#ask()));
  }
}
