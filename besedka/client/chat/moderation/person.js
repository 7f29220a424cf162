// The panel of a person: direct messages, and acts of moderation.

import { isBlocked } from "../app/blocks.js";
import { inSentence } from "../messages/naming.js";
import { here } from "../state.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { button, field, select } from "../view/controls/form.js";

const REASON_CHARACTERS_AT_MOST = 200;
const TIMES = [600, 3600, 86_400, 604_800, 0];

export class View {
  #strings;
  #actions;
  #dialog;
  #body = line("div", "", "");
  #user = "";
  #may;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#dialog = dialog("person", "", strings);
    this.#dialog.append(this.#body);
  }

  open(state, user) {
    this.#user = user;
    this.#draw(state);
    this.#dialog.showModal();
  }

  // The rights of this user may have changed.
  /** @param {State} state */
  draw(state) {
    if (state.scene !== "chat") this.#dialog.close();
    else if (this.#dialog.open && here(state).may !== this.#may) this.#draw(state);
  }

  #draw(state) {
    const user = this.#user;
    const { name: room, may = [], kind } = here(state);
    this.#may = here(state).may;
    const title = this.#dialog.querySelector("h2");
    title.textContent = user;
    title.dir = "auto";
    const { person, quotes } = this.#strings;
    const parts = [button("primary wide", person.message, () => this.#ask({ type: "direct", user }))];
    const isOut = isBlocked(state, user);
    parts.push(button("row", isOut ? person.unblock : person.block, () => {
      this.#dialog.close();
      this.#actions.app().block(user, !isOut);
    }));
    if (may.includes("invite") && kind === "private") {
      const sure = person.removeSure(inSentence(user, quotes));
      parts.push(button("row", person.remove, () => confirm(sure) && this.#ask({ type: "uninvite", room, user })));
    }
    if (may.includes("moderate")) parts.push(this.#moderation(user));
    this.#body.replaceChildren(...parts);
  }

  #moderation(user) {
    const { person } = this.#strings;
    const set = line("section", "moderation", "");
    const reason = Object.assign(document.createElement("input"), { autocomplete: "off", dir: "auto", maxLength: REASON_CHARACTERS_AT_MOST });
    const times = select(TIMES.map((seconds, index) => [seconds, person.times[index]]), TIMES[1]);
    const buttons = line("div", "line", "");
    const act = (name, more) => button(`quiet ${name}`, person[name], () => {
      const about = more ? { seconds: Number(times.value), reason: reason.value.trim() } : {};
      this.#ask({ type: "moderate", act: name, user, ...about, ...(name === "kick" && { reason: reason.value.trim() }) });
    });
    buttons.append(act("kick"), act("mute", true), act("unmute"), act("ban", true));
    const title = line("h3", "", person.moderation);
    title.id = "moderation-title";
    set.setAttribute("aria-labelledby", title.id);
    set.append(title, field(person.reason, reason), field(person.howLong, times), buttons, line("p", "lead", person.banNote));
    return set;
  }

  #ask(frame) {
    if (this.#actions.app().request(frame)) this.#dialog.close();
  }
}
