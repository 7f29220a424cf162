// About a room: its link, also as a QR code for phones nearby; what notifies; its history as a file; leaving it.

import { path, qr } from "../../qr.js";
import { here } from "../../state.js";
import { line } from "../row.js";
import { copy } from "./copying.js";
import { dialog } from "./dialog.js";
import { COPY, icon, iconButton } from "./icon.js";

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
    const { name, notice } = here(state);
    const drawn = [name, notice, state.sound, state.permission, Object.keys(state.rooms).length].join("\n");
    if (!this.#dialog.open || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#dialog.querySelector("h2").textContent = `# ${name}`;
    const isOneOfMany = Object.keys(state.rooms).length > 1;
    this.#body.replaceChildren(...this.#link(name), this.#notices(notice, state), this.#download(name), ...(isOneOfMany ? [this.#quit(name)] : []));
  }

  #link(name) {
    const link = this.#on.link(name);
    const field = Object.assign(document.createElement("input"), { value: link, readOnly: true, ariaLabel: this.#words.link });
    const button = iconButton(COPY, this.#words.copyLink);
    const told = line("p", "quiet", "");
    const row = line("div", "line", "");
    const rows = qr(link);
    const picture = icon(path(rows), rows.length);
    told.role = "status";
    picture.ariaHidden = null;
    picture.role = "img";
    picture.ariaLabel = this.#words.qr;
    picture.classList.add("qr");
    field.addEventListener("focus", () => field.select());
    button.addEventListener("click", async () => (told.textContent = this.#words[(await copy(link)) ? "copied" : "notCopied"]));
    row.append(field, button);
    return [row, told, picture];
  }

  #notices(notice, { sound, permission }) {
    const set = document.createElement("fieldset");
    set.append(line("legend", "", this.#words.notices));
    for (const [value, word] of Object.entries(NOTICES)) {
      set.append(choice({ type: "radio", name: "notice", value, checked: value === notice }, this.#words[word]));
    }
    set.append(choice({ type: "checkbox", name: "sound", checked: sound }, this.#words.sound));
    if (permission === "default") {
      const allow = Object.assign(line("button", "primary", this.#words.allow), { type: "button" });
      allow.addEventListener("click", () => this.#on.askToNotify());
      set.append(allow);
    } else if (permission !== "granted") set.append(line("p", "quiet", this.#words[permission]));
    return set;
  }

  #download(name) {
    return Object.assign(line("a", "row", this.#words.download), { href: this.#on.historyUrl(name), download: "" });
  }

  #quit(name) {
    const button = Object.assign(line("button", "row", this.#words.quitRoom), { type: "button" });
    button.addEventListener("click", () => {
      const { length } = here(this.#state).outbox;
      if (length && !confirm(this.#words.leaveUnsent(length))) return;
      this.#dialog.close();
      this.#on.happen({ type: "quit", name });
    });
    return button;
  }

  #changed({ name, value, checked }) {
    if (name === "notice") this.#on.happen({ type: "notice", name: this.#state.current, which: value });
    if (name === "sound") this.#on.setSound(checked);
  }
}

function choice(kind, text) {
  const label = line("label", "row", "");
  label.append(Object.assign(document.createElement("input"), kind), ` ${text}`);
  return label;
}
