// What one can do: commands, keys, marks in texts.

import { commandsFor } from "../../commands.js";
import { here } from "../../state.js";
import { line } from "../row.js";
import { dialog } from "./dialog.js";

export class View {
  #words;
  #dialog;
  #body = line("div", "", "");
  #may;

  constructor(words) {
    this.#words = words;
    this.#dialog = dialog("help", words.help, words);
    this.#dialog.append(this.#body);
  }

  open(state) {
    this.#draw(state);
    this.#dialog.showModal();
  }

  draw(state) {
    if (this.#dialog.open && here(state).may !== this.#may) this.#draw(state);
  }

  #draw(state) {
    const words = this.#words;
    this.#may = here(state).may;
    const commands = commandsFor(here(state).may).map(({ name, usage }) => [`/${name}${usage ? ` ${words.usage(usage)}` : ""}`, words.commands[name]]);
    this.#body.replaceChildren(table(commands, Object.entries(words.keys)), line("p", "quiet", words.marks));
  }
}

function table(...parts) {
  const list = document.createElement("dl");
  for (const part of parts) {
    part.forEach(([name, meaning], index) => list.append(line("dt", index ? "" : "apart", name), line("dd", "", meaning)));
  }
  return list;
}
