// What one can do: commands, keys, marks in texts.

import { COMMANDS } from "../../commands.js";
import { line } from "../row.js";
import { dialog } from "./dialog.js";

export class View {
  #dialog;

  constructor(words) {
    this.#dialog = dialog("help", words.help, words);
    const commands = COMMANDS.map(({ name, usage }) => [`/${name}${usage ? ` ${usage}` : ""}`, words.commands[name]]);
    this.#dialog.append(table(commands), table(Object.entries(words.keys)), line("p", "quiet", words.marks));
  }

  open() {
    this.#dialog.showModal();
  }

  draw() {}
}

function table(rows) {
  const list = document.createElement("dl");
  for (const [name, meaning] of rows) list.append(line("dt", "", name), line("dd", "", meaning));
  return list;
}
