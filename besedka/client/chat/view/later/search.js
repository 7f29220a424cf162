// Looks for words in the whole log of the room; a hit is shown where it stands.

import { line } from "../row.js";
import { doubt } from "./doubt.js";
import { head } from "./dialog.js";

const PAUSE_MS = 300; // one writes a word to its end
const SHOWN_AT_LEAST = 20; // a search that finds little goes on by itself
const CONTEXT_CHARACTERS = 70;

export class View {
  #words;
  #on;
  #panel = line("aside", "panel search", "");
  #input = Object.assign(document.createElement("input"), { type: "search", dir: "auto", enterKeyHint: "search" });
  #told = line("p", "quiet", "");
  #hits = line("ol", "", "");
  #more;
  #search = null;
  #timer = 0;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#more = Object.assign(line("button", "quiet", words.earlier), { type: "button", hidden: true });
    this.#input.placeholder = this.#input.ariaLabel = words.searchHint;
    this.#told.role = "status";
    this.#panel.setAttribute("aria-labelledby", "search-title");
    const form = line("form", "", "");
    form.role = "search";
    form.append(this.#input);
    this.#panel.append(head("search", words.search, words, () => this.#close()), form, this.#told, this.#hits, this.#more);
    document.getElementById("chat").append(this.#panel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
    });
    this.#more.addEventListener("click", () => on.happen({ type: "searchOn" }));
    this.#panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    this.#hits.addEventListener("click", ({ target }) => this.#jump(target.closest("button")));
  }

  open(state, about) {
    this.#panel.hidden = false;
    if (about) this.#input.value = about;
    this.#input.focus();
    this.#input.select();
    this.#ask();
  }

  draw({ search, scene }) {
    if (scene !== "chat") this.#panel.hidden = true;
    if (search === this.#search || this.#panel.hidden) return;
    this.#search = search;
    const { hits = [], before, busy, refusal } = search ?? {};
    const count = hits.length ? this.#words.found(hits.length) : this.#words.nothing;
    this.#told.textContent = !search ? "" : refusal ? refusal.text : busy ? this.#words.searching : count;
    this.#more.hidden = !before;
    this.#hits.replaceChildren(...hits.map((hit) => this.#hit(hit, search.text)).reverse());
    if (before && !busy && !refusal && hits.length < SHOWN_AT_LEAST) this.#on.happen({ type: "searchOn" });
  }

  #hit({ id, user, text, day, time, isDoubtful, isRemoved }, wanted) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", value: id, title: this.#words.jump });
    const found = Object.assign(line("p", "", ""), { dir: "auto" });
    found.append(...(isRemoved ? [this.#words.removed] : inContext(text, wanted)));
    found.classList.toggle("removed", Boolean(isRemoved));
    const name = Object.assign(line("b", "", user), { dir: "auto" });
    if (isDoubtful) name.append(doubt(this.#words));
    button.append(name, line("small", "quiet", `${day} ${time.slice(0, 5)}`), found);
    item.append(button);
    return item;
  }

  #ask() {
    clearTimeout(this.#timer);
    const text = this.#input.value.trim();
    if (text === (this.#search?.text ?? "")) return;
    this.#on.happen(text ? { type: "search", text } : { type: "searchNoMore" });
  }

  #jump(button) {
    if (!button) return;
    // On a phone the panel lies over the log.
    if (matchMedia("(max-width: 48rem)").matches) this.#panel.hidden = true;
    this.#on.happen({ type: "jump", id: Number(button.value) });
  }

  #close() {
    this.#panel.hidden = true;
    this.#on.happen({ type: "searchNoMore" });
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
