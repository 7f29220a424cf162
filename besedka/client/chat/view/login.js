// The login card: asks for a name.

import { refusalText } from "../words.js";

export class LoginView {
  #words;
  #form = document.getElementById("login-form");
  #name = document.getElementById("login-name");
  #button = document.getElementById("login-enter");
  #problem = document.getElementById("login-problem");
  #room = document.getElementById("login-room");
  #scene = "";
  #problemShown = null;

  constructor(words, on) {
    this.#words = words;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      on.enter(this.#name.value);
    });
  }

  draw({ scene, room, me, busy, problem, limits, connection }) {
    const hasCome = scene === "login" && this.#scene !== "login";
    if (hasCome) this.#name.value ||= me;
    const isRefused = problem && problem !== this.#problemShown;
    this.#problemShown = problem;
    this.#scene = scene;
    this.#room.textContent = `# ${room}`;
    this.#button.textContent = busy ? this.#words.entering : this.#words.enter;
    this.#button.setAttribute("aria-busy", String(busy));
    const away = busy && connection === "away" ? this.#words.away : "";
    this.#problem.textContent = problem ? refusalText(this.#words, problem, { room: 32, ...limits }) : away;
    this.#name.setAttribute("aria-invalid", String(Boolean(problem)));
    if (hasCome || isRefused) {
      this.#name.focus();
      this.#name.select();
    }
  }
}
