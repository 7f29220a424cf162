// The toolbar of the message under the pointer, the focus or a long press: number, exact time, copying its link and line,
// marking it as unread, and for moderators its removal. A click on a name opens the person's panel. The arrow keys walk through the log.

import { toLogLine } from "./log_line.js";
import { here } from "../state.js";
import { line } from "../view/row.js";
import { copyFrom } from "../sharing/clipboard.js";
import { COPY, LINK, REMOVE, UNREAD, iconButton } from "../view/controls/icon.js";

const LONG_PRESS_MS = 500;

export class View {
  /** @type {State} */
  #state;
  #log = document.getElementById("log");
  #box = document.getElementById("say-text");
  #bar = line("div", "tools", "");
  #time = line("span", "", "");
  #press = 0;
  #isLong = false; // the finger has opened the tools
  #link;
  #remove;
  #strings;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    const link = (this.#link = iconButton(LINK, strings.copyLink));
    this.#strings = strings;
    const text = iconButton(COPY, strings.copyLine);
    const unread = iconButton(UNREAD, strings.markUnread);
    unread.addEventListener("click", () => actions.dispatch({ type: "markUnread", id: Number(this.#bar.parentElement.dataset.id) }));
    this.#remove = iconButton(REMOVE, strings.remove);
    this.#remove.addEventListener("click", () => {
      const id = Number(this.#bar.parentElement.dataset.id);
      if (confirm(strings.removeSure)) actions.app().request({ type: "moderate", act: "redact", room: this.#state.current, id });
    });
    this.#bar.append(this.#time, link, text, unread, this.#remove);
    this.#copies(link, LINK, ({ id }) => actions.app().roomLink(this.#state.current, id));
    this.#copies(text, COPY, toLogLine);
    const at = ({ target }) => target.closest(".message[data-id]");
    this.#log.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#show(at(event), "beside"));
    this.#log.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.#show(null));
    this.#log.addEventListener("focusin", (event) => at(event) && this.#show(at(event)));
    this.#log.addEventListener("focusout", ({ relatedTarget: to }) => to && !this.#log.contains(/** @type {Node} */ (to)) && this.#hide());
    this.#log.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" || this.#bar.contains(event.target)) return;
      if (!this.#isBelow()) this.#show(null);
      this.#isLong = false;
      this.#press = setTimeout(() => {
        this.#isLong = true;
        this.#show(at(event), "below");
      }, LONG_PRESS_MS);
    });
    for (const end of ["pointerup", "pointercancel"]) this.#log.addEventListener(end, () => clearTimeout(this.#press));
    this.#log.addEventListener("keydown", (event) => this.#pressed(event));
    this.#log.addEventListener("click", ({ target }) => {
      // Not before: the room that is made for the tools goes with them, and the finger would be on something else.
      if (this.#isBelow() && !this.#isLong && !this.#bar.contains(target)) this.#show(null);
      const item = target.closest(".message[data-id]:not(.own) :is(.name, .action > b)")?.closest(".message");
      if (item) actions.open("person", this.#rowOf(item).user);
    });
  }

  /** @param {State} state */
  draw(state) {
    const isOther = this.#state && here(this.#state).may !== here(state).may;
    this.#state = state;
    if (isOther && this.#bar.parentElement) this.#drawRemove();
  }

  #drawRemove() {
    this.#remove.hidden = !here(this.#state).may?.includes("moderate") || this.#bar.parentElement.classList.contains("removed");
  }

  #show(item, where = "") {
    if (!item) return this.#bar.contains(document.activeElement) || this.#hide();
    if (this.#bar.parentElement === item) return;
    const wasBelow = this.#isBelow();
    this.#bar.className = `tools ${where}`;
    this.#time.textContent = item.querySelector("time").title.replace(" · ", "\n");
    this.#link.title = `${this.#strings.copyLink} (#${item.dataset.id})`;
    item.append(this.#bar);
    this.#drawRemove();
    if (wasBelow || this.#isBelow()) this.#resized();
    if (this.#isBelow()) this.#bar.scrollIntoView({ block: "nearest" });
  }

  #hide() {
    const wasBelow = this.#isBelow();
    this.#bar.remove();
    if (wasBelow) this.#resized();
  }

  #isBelow() {
    return this.#bar.matches(".message > .below");
  }

  // The reader's position depends on the size of what is scrolled, of which browsers tell nobody.
  #resized() {
    this.#log.dispatchEvent(new Event("scroll"));
  }

  #copies(button, drawing, toText) {
    button.addEventListener("click", () => {
      const row = this.#rowOf(this.#bar.parentElement);
      if (row) copyFrom(button, toText(row), this.#strings, drawing);
    });
  }

  #rowOf({ dataset }) {
    return here(this.#state).rows.find(({ id }) => id === Number(dataset.id));
  }

  #pressed(event) {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    if (key === "Escape" || (key.length === 1 && key !== " ")) return this.#box.focus(); // typing goes there
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.#log.querySelectorAll(".message")];
    const from = items.indexOf(target.closest(".message"));
    const next = from < 0 ? this.#lastInView(items) : items[from + step];
    if (!next) return;
    next.tabIndex = -1;
    next.focus();
  }

  #lastInView(items) {
    const { bottom } = this.#log.getBoundingClientRect();
    return items.findLast((item) => item.getBoundingClientRect().top < bottom - 20);
  }
}
