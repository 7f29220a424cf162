// The login card: asks for a name.

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

  draw({ scene, current, me, busy, problem, limits, connection }) {
    const hasCome = scene === "login" && this.#shown.scene !== scene;
    const isRefused = problem && problem !== this.#shown.problem;
    this.#shown = { scene, problem };
    if (hasCome) this.#name.value ||= me;
    this.#room.textContent = `# ${current}`;
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
