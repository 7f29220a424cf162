// All views. Each draws the state, and dispatches the user's actions.

import { ComposerView } from "./composer.js";
import { LayoutView } from "./layout.js";
import { LazyViews } from "./lazy_views.js";
import { LogView } from "./log.js";
import { LoginView } from "./login.js";

export class Page {
  #layout;
  #views;
  #features;

  /** @param actions see chat.js */
  constructor(strings, actions) {
    for (const element of document.querySelectorAll("[data-say]")) element.textContent = strings[element.dataset.say];
    for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = strings[element.dataset.label];
    // A browser would show a dropped file in place of the page.
    for (const type of /** @type {const} */ (["dragover", "drop"])) {
      addEventListener(type, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
    }
    const log = new LogView(strings);
    this.#features = new LazyViews(strings, { ...actions, log });
    // The layout comes first: it decides what can take the focus.
    this.#layout = new LayoutView(strings);
    this.#views = [this.#layout, new LoginView(strings, actions), log, new ComposerView(strings, actions), this.#features];
  }

  draw(state) {
    // In the background only the title shows.
    for (const view of document.hidden ? [this.#layout] : this.#views) view.draw(state);
  }

  open(name, about) {
    this.#features.open(name, about);
  }
}
