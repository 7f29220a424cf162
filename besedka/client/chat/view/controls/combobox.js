// A box with a list of options (the ARIA combobox pattern): the focus stays in the box, the arrow keys choose.

import { line } from "../row.js";

export class Combobox {
  #box;
  #choose;
  #values = [];
  #at = -1;
  list = line("ul", "options", "");

  constructor(box, label, choose) {
    this.#box = box;
    this.#choose = choose;
    this.list.id = `${label.replace(/\P{L}/gu, "")}-options`;
    this.list.role = "listbox";
    this.list.ariaLabel = label;
    this.list.hidden = true;
    if (box.localName === "textarea") {
      // It may not be a combobox (ARIA in HTML): it stays a text box, with an active option, and its list scrolls by itself.
      box.ariaHasPopup = "listbox";
      this.list.tabIndex = 0;
    } else box.role = "combobox";
    box.ariaAutoComplete = "list";
    box.setAttribute("aria-controls", this.list.id);
    this.#expand(false);
    // The box keeps the focus.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", ({ target }) => this.#take([...this.list.children].indexOf(target.closest("li"))));
  }

  get isShown() {
    return !this.list.hidden;
  }

  /** @param options [{value, nodes}] @param first the one that Enter takes; -1: none until the arrow keys choose */
  show(options, first = 0) {
    this.#values = options.map(({ value }) => value);
    this.list.replaceChildren(...options.map(({ nodes }, index) => {
      const item = Object.assign(document.createElement("li"), { role: "option", id: `${this.list.id}-${index}` });
      item.append(...nodes);
      return item;
    }));
    this.list.hidden = !options.length;
    this.#expand(options.length > 0);
    this.#mark(first);
  }

  hide() {
    this.show([]);
  }

  /** Handles a key pressed in the box; true: it was for the list. */
  press(event) {
    if (!this.isShown || event.isComposing) return false;
    const { length } = this.#values;
    const acts = {
      ArrowDown: () => this.#mark((this.#at + 1) % length),
      ArrowUp: () => this.#mark((Math.max(this.#at, 0) + length - 1) % length),
      Enter: () => this.#take(this.#at),
      Tab: () => this.#take(this.#at),
    };
    if (!acts[event.key] || event.shiftKey) return false;
    event.preventDefault();
    acts[event.key]();
    return true;
  }

  #expand(isExpanded) {
    if (this.#box.role) this.#box.ariaExpanded = isExpanded;
  }

  #mark(index) {
    this.list.children[this.#at]?.removeAttribute("aria-selected");
    this.#at = index;
    const item = this.list.children[index];
    if (!item) return this.#box.removeAttribute("aria-activedescendant");
    item.ariaSelected = true;
    item.scrollIntoView({ block: "nearest" });
    this.#box.setAttribute("aria-activedescendant", item.id);
  }

  #take(index) {
    if (index >= 0) this.#choose(this.#values[index]);
  }
}
