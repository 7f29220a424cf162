// The card in place of the login: asks for a key, a link or a confirmation, or explains why the session ended.

import { line } from "../view/row.js";
import { button, field } from "../view/controls/form.js";

const PASTES = ["no_access", "not_known", "bad_link"]; // a link or a key helps
const CODES = [...PASTES, "kicked", "banned", "device"];

export class View {
  #strings;
  #actions;
  #login = document.getElementById("login-form");
  #card = line("form", "card access", "");
  #shown = null;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#card.noValidate = true;
    this.#card.hidden = true;
    this.#login.after(this.#card);
    this.#card.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {State} state */
  draw(state) {
    const problem = state.scene === "login" && CODES.includes(state.problem?.code) ? state.problem : null;
    const shown = problem && { ...problem, isAway: state.connection === "away" };
    this.#card.hidden = !problem;
    this.#login.hidden = Boolean(problem);
    if (JSON.stringify(shown) === JSON.stringify(this.#shown)) return;
    this.#shown = shown;
    this.#card.replaceChildren(...(problem ? this.#parts(shown, state) : []));
    // The first control is the next thing to use.
    this.#card.querySelector("input, button")?.focus();
    if (!problem && state.scene === "login") document.getElementById("login-name").focus();
  }

  #parts(problem, state) {
    const { code } = problem;
    const { access } = this.#strings;
    const mark = Object.assign(document.createElement("img"), { className: "mark", src: "icon.svg", alt: "", width: 72, height: 72 });
    const title = line("h1", "", access[code].title(problem.name));
    title.dir = "auto";
    const lead = line("p", "lead", access[code].lead);
    const alert = Object.assign(line("p", "problem", this.#explanation(problem, state)), { role: "alert" });
    return [mark, title, lead, ...this.#controls(problem, alert, state)];
  }

  // Details: a reason, or the problem with the key.
  #explanation({ code, text, name, isAway }, { knownName }) {
    const { access, away } = this.#strings;
    if (code === "device") return isAway ? away : knownName && knownName !== name ? access.device.was(knownName) : "";
    if (code === "no_access") return this.#actions.app()?.hasKey ? access.no_access.wrong : "";
    // The part behind "This cannot be done: you were disconnected by a moderator: …", if there is one.
    const [, reason] = /^[^:]*:[^:]*: ?([^]+)$/.exec(text) ?? [];
    if (code === "kicked") return reason ? `${this.#strings.person.reason}: ${reason}` : "";
    return code === "banned" ? (text ?? "") : "";
  }

  #controls({ code, isTaken }, alert, { me }) {
    const { access } = this.#strings;
    const go = line("button", "primary", access[code].go ?? access.open);
    const no = button("quiet", access.back, () => this.#actions.dispatch({ type: "dismiss" }));
    go.ariaBusy = Boolean(isTaken);
    if (!PASTES.includes(code)) return [alert, go, ...(code === "kicked" || (code === "banned" && !me) ? [] : [no])];
    const input = Object.assign(document.createElement("input"), { autocomplete: "off", spellcheck: false, dir: "auto", enterKeyHint: "go" });
    return [field(access.paste, input), alert, go, ...(code === "no_access" ? [] : [no])];
  }

  async #submit() {
    const { code } = this.#shown;
    const { dispatch, app, logIn, fetchFeatures } = this.#actions;
    if (code === "device") return dispatch({ type: "takeDevice" });
    if (!PASTES.includes(code)) return logIn(document.getElementById("login-name").value);
    const input = this.#card.querySelector("input");
    await fetchFeatures(); // they may be missing before the first login
    const mistake = app()?.open(input.value);
    if (mistake) {
      this.#card.querySelector(".problem").textContent = this.#strings.access[mistake];
      input.focus();
    }
  }
}
