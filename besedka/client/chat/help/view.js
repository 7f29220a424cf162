// Help: commands, keys, marks in texts.

import { commandsFor } from "../writing/commands.js";
import { here } from "../state.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";

export class View {
  #strings;
  #dialog;
  #body = line("div", "", "");
  #may;

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
    this.#dialog = dialog("help", strings.help, strings);
    this.#dialog.append(this.#body);
  }

  open(state) {
    this.#draw(state);
    this.#dialog.showModal();
  }

  /** @param {State} state */
  draw(state) {
    if (this.#dialog.open && here(state).may !== this.#may) this.#draw(state);
  }

  #draw(state) {
    const strings = this.#strings;
    this.#may = here(state).may;
    const commands = commandsFor(here(state).may).map(({ name, usage }) => [`/${name}${usage ? ` ${strings.usage(usage)}` : ""}`, strings.commands[name]]);
    this.#body.replaceChildren(table(commands, Object.entries(strings.keys)), line("p", "quiet", strings.marks));
  }
}

function table(...parts) {
  const list = document.createElement("dl");
  for (const part of parts) {
    part.forEach(([name, meaning], index) => list.append(line("dt", index ? "" : "apart", name), line("dd", "", meaning)));
  }
  return list;
}
