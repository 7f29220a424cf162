// Invites to this chat: its link, with the key if one is needed.

import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { linkBox } from "./link_box.js";

export class View {
  #strings;
  #actions;
  #dialog;
  #body = line("div", "", "");

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#dialog = dialog("chat-link", strings.inviteHere, strings);
    this.#dialog.append(this.#body);
    // The key does not stay in the document.
    this.#dialog.addEventListener("close", () => this.#body.replaceChildren());
  }

  open() {
    const { hasKey, chatLink: link } = this.#actions.app();
    const { withKey, withoutKey, chatLink } = this.#strings;
    this.#body.replaceChildren(line("p", "lead", hasKey ? withKey : withoutKey), linkBox(link, chatLink, this.#strings));
    this.#dialog.showModal();
  }

  /** @param {State} state */
  draw({ scene }) {
    if (scene !== "chat") this.#dialog.close();
  }
}
