// All that is seen. Each view draws the state, and tells what a person did. Here are those without which nobody could
// talk; the others are in later/.

import { ComposerView } from "./composer.js";
import { FrameView } from "./frame.js";
import { Later } from "./later.js";
import { LogView } from "./log.js";
import { LoginView } from "./login.js";

const ORDERS = { help: "help", who: "people", rooms: "switcher", find: "search", invite: "invite", device: "device" };

export class Page {
  #frame;
  #views;
  #later;

  /** @param on what to call when a person does something: see chat.js */
  constructor(words, on) {
    for (const one of document.querySelectorAll("[data-say]")) one.textContent = words[one.dataset.say];
    for (const one of document.querySelectorAll("[data-label]")) one.ariaLabel = words[one.dataset.label];
    const log = new LogView(words);
    this.#later = new Later(words, { ...on, log });
    // The frame comes first: it decides who can take the focus.
    this.#frame = new FrameView(words);
    this.#views = [this.#frame, new LoginView(words, on), log, new ComposerView(words, on), this.#later];
  }

  draw(state) {
    // In the background nothing but the title is seen.
    for (const view of document.hidden ? [this.#frame] : this.#views) view.draw(state);
  }

  /** What a command asks of the page. */
  order(name, argument) {
    this.#later.open(ORDERS[name], argument);
  }
}
