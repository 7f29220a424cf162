// What one can do: commands, keys, marks in texts.

import { COMMANDS } from "../../commands.js";
import { line } from "../row.js";
import { dialog } from "./dialog.js";

export class View {
  #dialog;

  constructor(words) {
    this.#dialog = dialog("help", words.help, words);
    const commands = COMMANDS.map(({ name, usage }) => [`/${name}${usage ? ` ${usage}` : ""}`, words.commands[name]]);
    this.#dialog.append(table(commands, Object.entries(words.keys)), line("p", "quiet", words.marks));
  }

  open() {
    this.#dialog.showModal();
  }

  draw() {}
}

function table(...parts) {
  const list = document.createElement("dl");
  for (const part of parts) {
    part.forEach(([name, meaning], index) => list.append(line("dt", index ? "" : "apart", name), line("dd", "", meaning)));
  }
  return list;
}
