// In front of the login: what is needed before one can come in, or why one is not in any more. In place of its card.

import { line } from "../row.js";
import { button, field } from "./form.js";

const PASTES = ["no_access", "not_known", "bad_link"]; // what helps is a link, or a key
const CODES = [...PASTES, "kicked", "banned", "device"];

export class View {
  #words;
  #on;
  #login = document.getElementById("login-form");
  #card = line("form", "card door", "");
  #shown = null;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#card.noValidate = true;
    this.#card.hidden = true;
    this.#login.after(this.#card);
    this.#card.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  draw(state) {
    const problem = state.scene === "login" && CODES.includes(state.problem?.code) ? state.problem : null;
    const shown = problem && { ...problem, isAway: state.connection === "away" };
    this.#card.hidden = !problem;
    this.#login.hidden = Boolean(problem);
    if (JSON.stringify(shown) === JSON.stringify(this.#shown)) return;
    this.#shown = shown;
    this.#card.replaceChildren(...(problem ? this.#parts(shown, state) : []));
    // After what is told, its first control is the next thing.
    this.#card.querySelector("input, button")?.focus();
    if (!problem && state.scene === "login") document.getElementById("login-name").focus();
  }

  #parts(problem, state) {
    const { code } = problem;
    const { door } = this.#words;
    const mark = Object.assign(document.createElement("img"), { className: "mark", src: "icon.svg", alt: "", width: 72, height: 72 });
    const title = line("h1", "", door[code].title(problem.name));
    title.dir = "auto";
    const lead = line("p", "lead", door[code].lead);
    const told = Object.assign(line("p", "problem", this.#told(problem, state)), { role: "alert" });
    return [mark, title, lead, ...this.#controls(problem, told, state)];
  }

  // What there is to say beside that: a reason, or what is wrong with what one has.
  #told({ code, text, name, isAway }, { known }) {
    const { door, away } = this.#words;
    if (code === "device") return isAway ? away : known && known !== name ? door.device.was(known) : "";
    if (code === "no_access") return this.#on.around().hasKey ? door.no_access.wrong : "";
    // What comes behind "This cannot be done: you were shown out", if there is something.
    const [, reason] = /^[^:]*:[^:]*: ?([^]+)$/.exec(text) ?? [];
    if (code === "kicked") return reason ? `${this.#words.person.reason}: ${reason}` : "";
    return code === "banned" ? (text ?? "") : "";
  }

  #controls({ code, isTaken }, told, { me }) {
    const { door } = this.#words;
    const go = line("button", "primary", door[code].go ?? door.open);
    const no = button("quiet", door.back, () => this.#on.happen({ type: "dismiss" }));
    go.ariaBusy = Boolean(isTaken);
    if (!PASTES.includes(code)) return [told, go, ...(code === "kicked" || (code === "banned" && !me) ? [] : [no])];
    const input = Object.assign(document.createElement("input"), { autocomplete: "off", spellcheck: false, dir: "auto", enterKeyHint: "go" });
    return [field(door.paste, input), told, go, ...(code === "no_access" ? [] : [no])];
  }

  async #submit() {
    const { code } = this.#shown;
    const { happen, around, enter, fetchMore } = this.#on;
    if (code === "device") return happen({ type: "takeDevice" });
    if (!PASTES.includes(code)) return enter(document.getElementById("login-name").value);
    const input = this.#card.querySelector("input");
    await fetchMore(); // one was perhaps never in
    const mistake = around()?.open(input.value);
    if (mistake) {
      this.#card.querySelector(".problem").textContent = this.#words.door[mistake];
      input.focus();
    }
  }
}
