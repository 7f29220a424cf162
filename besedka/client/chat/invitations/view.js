// Invites into the user's private room: how many people, how long; then shows the link, once.

import { here } from "../state.js";
import { label } from "../room.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { button, field, select } from "../view/controls/form.js";
import { linkBox } from "../sharing/link_box.js";

const USES = [1, 5, 1000];
const HOUR = 3600;
const TIMES = [HOUR, 24 * HOUR, 7 * 24 * HOUR];

export class View {
  #strings;
  #actions;
  #dialog;
  #form = line("form", "", "");
  #link = line("div", "", "");
  #shown = null; // the newest invitation
  #isWanted = false;
  #room = "";

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#dialog = dialog("invite", "", strings);
    const uses = select(USES.map((count) => [count, strings.uses(count)]), USES[0]);
    const times = select(TIMES.map((seconds, index) => [seconds, strings.times[index]]), TIMES[2]);
    const row = line("div", "line", "");
    row.append(field(strings.forHowMany, uses), field(strings.forHowLong, times));
    this.#form.append(row, line("button", "primary wide", strings.makeLink));
    const back = button("row", strings.takeBack, () => confirm(strings.takeBackSure) && actions.app().request({ type: "uninvite", room: this.#room }));
    this.#dialog.append(this.#form, this.#link, back);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      actions.app().request({ type: "invite", room: this.#room, uses: Number(uses.value), seconds: Number(times.value) });
    });
    this.#dialog.addEventListener("close", () => {
      this.#isWanted = false;
      this.#link.replaceChildren();
    });
  }

  open(state, about) {
    this.#room = state.current;
    this.#isWanted = true;
    this.#dialog.querySelector("h2").textContent = this.#strings.inviteInto(label(here(state)));
    // A request by a command may still be refused.
    if (about !== "requested") this.#dialog.showModal();
    else this.draw(state);
  }

  /** @param {State} state */
  draw({ invitation, scene, current }) {
    if (scene !== "chat" || current !== this.#room) this.#dialog.close();
    if (!invitation || invitation === this.#shown || !this.#isWanted || invitation.room !== this.#room) return;
    this.#shown = invitation;
    const strings = this.#strings;
    const until = new Date(invitation.expires * 1000).toLocaleString(strings.locale, { dateStyle: "medium", timeStyle: "short" });
    const link = this.#actions.app().invitationLink(invitation);
    this.#link.replaceChildren(line("p", "lead", strings.invitation(invitation.uses, until)), linkBox(link, strings.inviteLink, strings));
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#link.querySelector("button").focus();
  }
}
