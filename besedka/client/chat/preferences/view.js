// The panel of the user's preferences on this device. They apply at once; those that all texts hang on, with a new start of the page.

import { CHOICES, preferences, setPreference } from "../preferences.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { field, select } from "../view/controls/form.js";

const STARTS_ANEW = new Set(["language", "clock"]);

export class View {
  #dialog;
  #body = line("div", "", "");
  #strings;

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
    this.#dialog = dialog("preferences", strings.preferences.title, strings);
    this.#dialog.append(line("p", "lead", strings.preferences.lead), this.#body);
    this.#body.addEventListener("change", ({ target }) => this.#changed(target));
  }

  open() {
    const chosen = preferences();
    this.#body.replaceChildren(...Object.entries(CHOICES).map(([name, values]) => this.#field(name, values, chosen[name])));
    this.#dialog.showModal();
  }

  /** @param {State} state */
  draw({ scene }) {
    if (scene !== "chat") this.#dialog.close();
  }

  #field(name, values, value) {
    const { title, ...words } = this.#strings.preferences[name];
    const box = select(values.map((one) => [one, words[one] ?? `${one} %`]), value);
    box.name = name;
    return field(title, box);
  }

  #changed({ name, value }) {
    setPreference(name, value);
    if (STARTS_ANEW.has(name)) location.reload();
  }
}
