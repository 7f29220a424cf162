// About a room: its link, also as a QR code for a phone nearby; its notifications; its history as a file; leaving it.

import { isBlocked } from "../app/blocks.js";
import { label } from "../room.js";
import { here } from "../state.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { button, choice } from "../view/controls/form.js";
import { linkBox } from "../sharing/link_box.js";

const SAVED_MS = 60_000; // enough for the browser to save it

export class View {
  #strings;
  #actions;
  #dialog;
  #body = line("div", "", "");
  #drawn = "";
  /** @type {State} */
  #state;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#dialog = dialog("about", "", strings);
    this.#dialog.append(this.#body);
    this.#dialog.addEventListener("change", ({ target }) => this.#changed(target));
  }

  open(state) {
    this.#drawn = "";
    if (!this.#dialog.open) this.#dialog.showModal();
    this.draw(state);
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
    const room = here(state);
    const { name, notice, kind, peer, may = [] } = room;
    const isOut = isBlocked(state, peer);
    const drawn = [name, notice, isOut, state.sound, state.permission, Object.keys(state.rooms).length].join("\n");
    if (!this.#dialog.open || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#dialog.querySelector("h2").textContent = label(room);
    const isOneOfMany = Object.keys(state.rooms).length > 1;
    // The address alone grants no access to a room that is not open.
    const link = kind ? line("p", "lead", this.#strings.kindLead[kind]) : linkBox(this.#actions.app().roomLink(name), this.#strings.link, this.#strings);
    const invite = kind === "private" && may.includes("invite") ? [button("primary wide", this.#strings.invite, () => this.#open("invite"))] : [];
    const quit = isOneOfMany ? [this.#quit(name)] : [];
    this.#body.replaceChildren(link, ...invite, this.#notices(room, state), this.#download(name), ...(peer ? [this.#block(peer, isOut)] : []), ...quit);
  }

  /** @param {Room} room @param {State} state */
  #notices({ notice, peer }, { sound, permission }) {
    const set = document.createElement("fieldset");
    set.append(line("legend", "", this.#strings.notices));
    for (const [value, word] of Object.entries(this.#strings.noticeKinds)) {
      // In a direct room every message counts as a mention.
      if (peer && value === "mentions") continue;
      const checked = value === notice || Boolean(peer && value === "all" && notice !== "none");
      set.append(choice({ type: "radio", name: "notice", value, checked }, word));
    }
    set.append(choice({ type: "checkbox", name: "sound", checked: sound }, this.#strings.sound));
    if (permission === "default") {
      set.append(button("primary", this.#strings.allow, () => this.#actions.app().askToNotify()));
    } else if (permission !== "granted") set.append(line("p", "quiet", this.#strings[permission]));
    return set;
  }

  #download(name) {
    const link = Object.assign(line("a", "row", this.#strings.download), { href: this.#actions.app().historyUrl(name), download: "" });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.#save(name);
    });
    return link;
  }

  async #save(name) {
    const { dispatch, app } = this.#actions;
    try {
      const href = await app().download(name);
      Object.assign(document.createElement("a"), { href, download: `${label(here(this.#state)).replace(/^# /, "")}.txt` }).click();
      setTimeout(() => URL.revokeObjectURL(href), SAVED_MS);
    } catch ({ message }) {
      dispatch({ type: "toast", toast: { code: "not_downloaded", text: message } });
    }
  }

  #open(name) {
    this.#dialog.close();
    this.#actions.open(name);
  }

  #block(peer, isOut) {
    const { block, unblock } = this.#strings.person;
    return button("row", `${isOut ? unblock : block}: ${peer}`, () => {
      this.#dialog.close();
      this.#actions.app().block(peer, !isOut);
    });
  }

  #quit(name) {
    return button("row", this.#strings.quitRoom, () => {
      this.#dialog.close();
      this.#actions.app().leaveRoom(name);
    });
  }

  #changed({ name, value, checked }) {
    if (name === "notice") this.#actions.dispatch({ type: "setNotice", name: this.#state.current, notice: value });
    if (name === "sound") this.#actions.app().setSound(checked);
  }
}
