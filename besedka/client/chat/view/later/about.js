// About a room: its link, also as a QR code for phones nearby; what notifies; its history as a file; leaving it.

import { label } from "../../room.js";
import { here } from "../../state.js";
import { line } from "../row.js";
import { dialog } from "./dialog.js";
import { button, choice } from "./form.js";
import { linkBox } from "./link.js";

const SAVED_MS = 60_000; // by then the browser has it
const NOTICES = { all: "noticeAll", mentions: "noticeMentions", none: "noticeNone" };

export class View {
  #words;
  #on;
  #dialog;
  #body = line("div", "", "");
  #drawn = "";
  #state;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#dialog = dialog("about", "", words);
    this.#dialog.append(this.#body);
    this.#dialog.addEventListener("change", ({ target }) => this.#changed(target));
  }

  open(state) {
    this.#drawn = "";
    if (!this.#dialog.open) this.#dialog.showModal();
    this.draw(state);
  }

  draw(state) {
    this.#state = state;
    const room = here(state);
    const { name, notice, kind, may = [] } = room;
    const drawn = [name, notice, state.sound, state.permission, Object.keys(state.rooms).length].join("\n");
    if (!this.#dialog.open || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#dialog.querySelector("h2").textContent = label(room);
    const isOneOfMany = Object.keys(state.rooms).length > 1;
    // By its address nobody comes into a room that is not open.
    const link = kind ? line("p", "lead", this.#words.kindLead[kind]) : linkBox(this.#on.link(name), this.#words.link, this.#words);
    const invite = kind === "private" && may.includes("invite") ? [button("primary wide", this.#words.invite, () => this.#open("invite"))] : [];
    const quit = isOneOfMany ? [this.#quit(name)] : [];
    this.#body.replaceChildren(link, ...invite, this.#notices(room, state), this.#download(name), ...quit);
  }

  #notices({ notice, peer }, { sound, permission }) {
    const set = document.createElement("fieldset");
    set.append(line("legend", "", this.#words.notices));
    for (const [value, word] of Object.entries(NOTICES)) {
      // In a talk of two one is always meant.
      if (peer && value === "mentions") continue;
      const checked = value === notice || Boolean(peer && value === "all" && notice !== "none");
      set.append(choice({ type: "radio", name: "notice", value, checked }, this.#words[word]));
    }
    set.append(choice({ type: "checkbox", name: "sound", checked: sound }, this.#words.sound));
    if (permission === "default") {
      set.append(button("primary", this.#words.allow, () => this.#on.around().askToNotify()));
    } else if (permission !== "granted") set.append(line("p", "quiet", this.#words[permission]));
    return set;
  }

  #download(name) {
    const link = Object.assign(line("a", "row", this.#words.download), { href: this.#on.around().historyUrl(name), download: "" });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.#save(name);
    });
    return link;
  }

  async #save(name) {
    const { happen, around } = this.#on;
    try {
      const href = await around().download(name);
      Object.assign(document.createElement("a"), { href, download: `${label(here(this.#state)).replace(/^# /, "")}.txt` }).click();
      setTimeout(() => URL.revokeObjectURL(href), SAVED_MS);
    } catch ({ message }) {
      happen({ type: "note", note: { code: "not_downloaded", text: message } });
    }
  }

  #open(name) {
    this.#dialog.close();
    this.#on.open(name);
  }

  #quit(name) {
    return button("row", this.#words.quitRoom, () => {
      const { length } = here(this.#state).outbox;
      if (length && !confirm(this.#words.leaveUnsent(length))) return;
      this.#dialog.close();
      this.#on.happen({ type: "quit", name });
    });
  }

  #changed({ name, value, checked }) {
    if (name === "notice") this.#on.happen({ type: "notice", name: this.#state.current, which: value });
    if (name === "sound") this.#on.around().setSound(checked);
  }
}
