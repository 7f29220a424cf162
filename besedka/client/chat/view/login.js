// The login card, which asks for a name.

import { label } from "../room.js";
import { here } from "../state.js";
import { refusalText } from "../language.js";

export class LoginView {
  #strings;
  #name = document.getElementById("login-name");
  #button = document.getElementById("login-enter");
  #problem = document.getElementById("login-problem");
  #room = document.getElementById("login-room");
  #shown = {};

  constructor(strings, actions) {
    this.#strings = strings;
    document.getElementById("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      actions.logIn(this.#name.value);
    });
    this.#button.disabled = false; // not before: the browser would submit the form
  }

  draw(state) {
    const { scene, me, busy, problem, limits, connection } = state;
    const hasCome = scene === "login" && this.#shown.scene !== scene;
    const isRefused = problem && problem !== this.#shown.problem;
    if (me !== this.#shown.me) this.#name.value = me || this.#name.value;
    this.#shown = { scene, problem, me };
    this.#room.textContent = label(here(state));
    this.#button.textContent = busy ? this.#strings.entering : this.#strings.enter;
    this.#button.ariaBusy = `${busy}`;
    const away = busy && connection === "away" ? this.#strings.away : "";
    this.#problem.textContent = problem ? refusalText(this.#strings, problem, limits) : away;
    this.#name.ariaInvalid = `${Boolean(problem)}`;
    if (hasCome || isRefused) {
      this.#name.focus();
      this.#name.select();
    }
  }
}
