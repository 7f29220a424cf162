// Invite to this chat: the link that lets one in, with the key if one is needed.

import { line } from "../row.js";
import { dialog } from "./dialog.js";
import { linkBox } from "./link.js";

export class View {
  #words;
  #on;
  #dialog;
  #body = line("div", "", "");

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#dialog = dialog("share", words.inviteHere, words);
    this.#dialog.append(this.#body);
    // What lets one in is not left lying about.
    this.#dialog.addEventListener("close", () => this.#body.replaceChildren());
  }

  open() {
    const { hasKey, invitation } = this.#on.around();
    const { withKey, withoutKey, chatLink } = this.#words;
    this.#body.replaceChildren(line("p", "lead", hasKey ? withKey : withoutKey), linkBox(invitation, chatLink, this.#words));
    this.#dialog.showModal();
  }

  draw({ scene }) {
    if (scene !== "chat") this.#dialog.close();
  }
}
