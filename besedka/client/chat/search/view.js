// Searches the whole log of the room; a hit is shown in its context.

import { refusalText } from "../language.js";
import { line } from "../view/row.js";
import { unverifiedMark } from "../messages/unverified.js";
import { head } from "../view/controls/dialog.js";

const PAUSE_MS = 300; // lets a word be completed
const SHOWN_AT_LEAST = 20; // with fewer hits the search goes on by itself
const CONTEXT_CHARACTERS = 70;

export class View {
  #strings;
  #actions;
  #panel = line("aside", "panel search", "");
  #input = Object.assign(document.createElement("input"), { type: "search", dir: "auto", enterKeyHint: "search" });
  #status = line("p", "quiet", "");
  #hits = line("ol", "", "");
  #more;
  #search = null;
  #isAway = false; // it waits for a connection
  #timer = 0;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#more = Object.assign(line("button", "quiet", strings.earlier), { type: "button", hidden: true });
    this.#input.placeholder = this.#input.ariaLabel = strings.searchHint;
    this.#status.role = "status";
    this.#panel.setAttribute("aria-labelledby", "search-title");
    const form = line("form", "", "");
    form.role = "search";
    form.append(this.#input);
    this.#panel.append(head("search", strings.search, strings, () => this.#close()), form, this.#status, this.#hits, this.#more);
    document.getElementById("chat").append(this.#panel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
    });
    this.#more.addEventListener("click", () => actions.dispatch({ type: "searchMore" }));
    this.#panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    this.#hits.addEventListener("click", ({ target }) => this.#jump(target.closest("button")));
  }

  open(_, about) {
    this.#panel.hidden = false;
    if (about) this.#input.value = about;
    this.#input.focus();
    this.#input.select();
    this.#ask();
  }

  /** @param {State} state */
  draw({ search, scene, connection, limits }) {
    if (scene !== "chat") this.#panel.hidden = true;
    const isAway = Boolean(search?.busy) && connection !== "open";
    if ((search === this.#search && isAway === this.#isAway) || this.#panel.hidden) return;
    this.#search = search;
    this.#isAway = isAway;
    const { hits = [], before, busy, refusal } = search ?? {};
    const count = hits.length ? this.#strings.found(hits.length, Boolean(before)) : this.#strings.nothing;
    const { searching, searchAway } = this.#strings;
    this.#status.textContent = !search ? "" : refusal ? refusalText(this.#strings, refusal, limits) : isAway ? searchAway : busy ? searching : count;
    this.#more.hidden = !before;
    this.#hits.replaceChildren(...hits.map((hit) => this.#hit(hit, search.text)).reverse());
    if (before && !busy && !refusal && hits.length < SHOWN_AT_LEAST) this.#actions.dispatch({ type: "searchMore" });
  }

  /** @param {Search["hits"][number]} hit @param {string} wanted */
  #hit({ id, user, text, day, time, isUnverified, isRemoved }, wanted) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", value: id, title: this.#strings.jump });
    const found = Object.assign(line("p", "", ""), { dir: "auto" });
    found.append(...(isRemoved ? [this.#strings.removed] : inContext(text, wanted)));
    found.classList.toggle("removed", Boolean(isRemoved));
    const name = Object.assign(line("b", "", user), { dir: "auto" });
    if (isUnverified) name.append(unverifiedMark(this.#strings));
    button.append(name, line("small", "quiet", `${day} ${this.#strings.clock(time)}`), found);
    item.append(button);
    return item;
  }

  #ask() {
    clearTimeout(this.#timer);
    const text = this.#input.value.trim();
    if (text === (this.#search?.text ?? "")) return;
    this.#actions.dispatch(text ? { type: "search", text } : { type: "endSearch" });
  }

  #jump(button) {
    if (!button) return;
    // On a phone the panel covers the log.
    if (matchMedia("(max-width: 48rem)").matches) this.#panel.hidden = true;
    this.#actions.dispatch({ type: "jump", id: Number(button.value) });
  }

  #close() {
    this.#panel.hidden = true;
    this.#actions.dispatch({ type: "endSearch" });
    document.querySelector("[data-open=search]").focus();
  }
}

function inContext(text, wanted) {
  const at = text.toLowerCase().indexOf(wanted.toLowerCase());
  if (at < 0) return [text.slice(0, 2 * CONTEXT_CHARACTERS)];
  const end = at + wanted.length;
  const start = Math.max(0, at - CONTEXT_CHARACTERS);
  const stop = end + CONTEXT_CHARACTERS;
  const before = `${start ? "… " : ""}${text.slice(start, at)}`;
  return [before, line("mark", "", text.slice(at, end)), `${text.slice(end, stop)}${stop < text.length ? " …" : ""}`];
}
