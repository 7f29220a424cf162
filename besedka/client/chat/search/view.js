// Searches the whole log of the room; a hit is shown in its context.

import { refusalText } from "../language.js";
import { label } from "../room.js";
import { line } from "../view/row.js";
import { isDate } from "./terms.js";
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
  #everywhere = Object.assign(document.createElement("input"), { type: "checkbox" });
  #day = Object.assign(document.createElement("input"), { type: "date" });
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
    form.append(this.#input, labelled(this.#everywhere, strings.everywhere));
    const hint = line("p", "quiet", "");
    // No line ends inside a date.
    hint.append(...strings.searchTerms.split(" ").flatMap((term) => [line("span", "", term), " "]));
    const day = labelled(this.#day, strings.gotoDay);
    this.#panel.append(head("search", strings.search, strings, () => this.#close()), form, hint, day, this.#status, this.#hits, this.#more);
    document.getElementById("chat").append(this.#panel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
    });
    this.#everywhere.addEventListener("change", () => this.#ask());
    this.#day.addEventListener("change", () => this.#goto(this.#day.value));
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
  draw({ search, scene, connection, limits, rooms }) {
    if (scene !== "chat") this.#panel.hidden = true;
    const isAway = Boolean(search?.busy) && connection !== "open";
    if ((search === this.#search && isAway === this.#isAway) || this.#panel.hidden) return;
    this.#search = search;
    this.#isAway = isAway;
    const { hits = [], before = {}, busy, refusal } = search ?? {};
    const hasMore = Object.values(before).some(Boolean);
    const count = hits.length ? this.#strings.found(hits.length, hasMore) : this.#strings.nothing;
    const { searching, searchAway } = this.#strings;
    this.#status.textContent = !search ? "" : refusal ? refusalText(this.#strings, refusal, limits) : isAway ? searchAway : busy ? searching : count;
    this.#more.hidden = !hasMore;
    const place = ({ room }) => (search.isEverywhere && rooms[room] ? label(rooms[room]) : "");
    this.#hits.replaceChildren(...hits.map((hit) => this.#hit(hit, search.terms.text, place(hit))).reverse());
    if (hasMore && !busy && !refusal && hits.length < SHOWN_AT_LEAST) this.#actions.dispatch({ type: "searchMore" });
  }

  /** @param {Search["hits"][number]} hit @param {string} wanted @param {string} place */
  #hit({ id, room, user, text, day, time, isUnverified, isRemoved }, wanted, place) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", value: id, title: this.#strings.jump });
    button.dataset.room = room;
    const found = Object.assign(line("p", "", ""), { dir: "auto" });
    found.append(...(isRemoved ? [this.#strings.removed] : inContext(text, wanted)));
    found.classList.toggle("removed", Boolean(isRemoved));
    const name = Object.assign(line("b", "", user), { dir: "auto" });
    if (isUnverified) name.append(unverifiedMark(this.#strings));
    button.append(name, line("small", "quiet", [place, day, this.#strings.clock(time)].filter(Boolean).join(" ")), found);
    item.append(button);
    return item;
  }

  #ask() {
    clearTimeout(this.#timer);
    const text = this.#input.value.trim();
    const isEverywhere = this.#everywhere.checked;
    if (text === (this.#search?.text ?? "") && isEverywhere === Boolean(this.#search?.isEverywhere)) return;
    this.#actions.dispatch(text ? { type: "search", text, isEverywhere } : { type: "endSearch" });
  }

  #jump(button) {
    if (!button) return;
    const { room } = button.dataset;
    this.#uncoverLog();
    this.#actions.dispatch({ type: "openRoom", name: room });
    this.#actions.dispatch({ type: "jump", name: room, id: Number(button.value) });
  }

  #goto(day) {
    if (!isDate(day)) return; // a year is being typed
    this.#uncoverLog();
    this.#actions.dispatch({ type: "goto", day });
  }

  // On a phone the panel covers the log.
  #uncoverLog() {
    if (matchMedia("(max-width: 48rem)").matches) this.#panel.hidden = true;
  }

  #close() {
    this.#panel.hidden = true;
    this.#actions.dispatch({ type: "endSearch" });
    document.querySelector("[data-open=search]").focus();
  }
}

/** @param {HTMLInputElement} input @param {string} text */
function labelled(input, text) {
  const label = line("label", "", "");
  if (input.type === "checkbox") label.append(input, text);
  else label.append(text, input);
  return label;
}

function inContext(text, wanted) {
  const at = text.toLowerCase().indexOf(wanted.toLowerCase());
  if (!wanted || at < 0) return [text.slice(0, 2 * CONTEXT_CHARACTERS)];
  const end = at + wanted.length;
  const start = Math.max(0, at - CONTEXT_CHARACTERS);
  const stop = end + CONTEXT_CHARACTERS;
  const before = `${start ? "… " : ""}${text.slice(start, at)}`;
  return [before, line("mark", "", text.slice(at, end)), `${text.slice(end, stop)}${stop < text.length ? " …" : ""}`];
}
