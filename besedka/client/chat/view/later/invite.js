// Invite into a private room that one owns: for how many, for how long; then the link, which is told only once.

import { here } from "../../state.js";
import { label } from "../../room.js";
import { line } from "../row.js";
import { dialog } from "./dialog.js";
import { button, field, select } from "./form.js";
import { linkBox } from "./link.js";

const USES = [1, 5, 1000];
const HOUR = 3600;
const TIMES = [HOUR, 24 * HOUR, 7 * 24 * HOUR];

export class View {
  #words;
  #on;
  #dialog;
  #form = line("form", "", "");
  #link = line("div", "", "");
  #told = null; // the newest one that was shown
  #isWanted = false;
  #room = "";

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#dialog = dialog("invite", "", words);
    const uses = select(USES.map((count) => [count, words.uses(count)]), USES[0]);
    const times = select(TIMES.map((seconds, index) => [seconds, words.times[index]]), TIMES[2]);
    const row = line("div", "line", "");
    row.append(field(words.forHowMany, uses), field(words.forHowLong, times));
    this.#form.append(row, line("button", "primary wide", words.makeLink));
    const back = button("row", words.takeBack, () => confirm(words.takeBackSure) && on.around().ask({ type: "uninvite", room: this.#room }));
    this.#dialog.append(this.#form, this.#link, back);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      on.around().ask({ type: "invite", room: this.#room, uses: Number(uses.value), seconds: Number(times.value) });
    });
    this.#dialog.addEventListener("close", () => {
      this.#isWanted = false;
      this.#link.replaceChildren();
    });
  }

  open(state, about) {
    this.#room = state.current;
    this.#isWanted = true;
    this.#dialog.querySelector("h2").textContent = this.#words.inviteInto(label(here(state)));
    // What a command has asked for may be refused yet.
    if (about !== "asked") this.#dialog.showModal();
    else this.draw(state);
  }

  draw({ invitation, scene, current }) {
    if (scene !== "chat" || current !== this.#room) this.#dialog.close();
    if (!invitation || invitation === this.#told || !this.#isWanted || invitation.room !== this.#room) return;
    this.#told = invitation;
    const words = this.#words;
    const until = new Date(invitation.expires * 1000).toLocaleString(words.locale, { dateStyle: "medium", timeStyle: "short" });
    const link = this.#on.around().invitationLink(invitation);
    this.#link.replaceChildren(line("p", "lead", words.invitation(invitation.uses, until)), linkBox(link, words.inviteLink, words));
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#link.querySelector("button").focus();
  }
}
