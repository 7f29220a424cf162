// The login card: asks for a name.

import { refusalText } from "../words.js";

export class LoginView {
  #words;
  #form = document.getElementById("login-form");
  #name = document.getElementById("login-name");
  #button = document.getElementById("login-enter");
  #problem = document.getElementById("login-problem");
  #scene = "";

  constructor(words, on) {
    this.#words = words;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      on.enter(this.#name.value);
    });
  }

  draw({ scene, me, busy, problem, limits }) {
    if (scene === "login" && this.#scene !== "login") {
      this.#name.value ||= me;
      this.#name.focus();
    }
    this.#scene = scene;
    this.#button.disabled = busy;
    this.#button.textContent = busy ? this.#words.entering : this.#words.enter;
    this.#problem.textContent = problem ? refusalText(this.#words, problem, { room: 32, ...limits }) : "";
    this.#name.setAttribute("aria-invalid", String(Boolean(problem)));
  }
}
