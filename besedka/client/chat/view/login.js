// The login card: asks for a name.

import { label } from "../room.js";
import { here } from "../state.js";
import { refusalText } from "../words.js";

export class LoginView {
  #words;
  #name = document.getElementById("login-name");
  #button = document.getElementById("login-enter");
  #problem = document.getElementById("login-problem");
  #room = document.getElementById("login-room");
  #shown = {};

  constructor(words, on) {
    this.#words = words;
    document.getElementById("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      on.enter(this.#name.value);
    });
  }

  draw(state) {
    const { scene, me, busy, problem, limits, connection } = state;
    const hasCome = scene === "login" && this.#shown.scene !== scene;
    const isRefused = problem && problem !== this.#shown.problem;
    if (me !== this.#shown.me) this.#name.value = me || this.#name.value;
    this.#shown = { scene, problem, me };
    this.#room.textContent = label(here(state));
    this.#button.textContent = busy ? this.#words.entering : this.#words.enter;
    this.#button.ariaBusy = busy;
    const away = busy && connection === "away" ? this.#words.away : "";
    this.#problem.textContent = problem ? refusalText(this.#words, problem, limits) : away;
    this.#name.ariaInvalid = Boolean(problem);
    if (hasCome || isRefused) {
      this.#name.focus();
      this.#name.select();
    }
  }
}
