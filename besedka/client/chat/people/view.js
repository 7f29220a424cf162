// The people of the room: a list under its button.

import { here } from "../state.js";
import { hue, line } from "../view/row.js";

export class View {
  #strings;
  #button = document.getElementById("people");
  #list = line("ul", "popup", "");
  #users = null;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#list.addEventListener("click", ({ target }) => {
      const { value } = target.closest("button") ?? {};
      if (!value) return;
      this.#list.hidePopover();
      this.#button.focus(); // the focus comes back here
      actions.open("person", value);
    });
    this.#list.id = "people-list";
    this.#list.popover = "auto";
    this.#list.tabIndex = -1;
    this.#list.ariaLabel = strings.here;
    this.#button.after(this.#list);
    this.#button.setAttribute("aria-controls", "people-list");
    this.#list.addEventListener("toggle", ({ newState }) => (this.#button.ariaExpanded = String(newState === "open")));
  }

  open(state) {
    const { bottom, right } = this.#button.getBoundingClientRect();
    this.#list.style.top = `${bottom + 4}px`;
    this.#list.style.right = `${document.documentElement.clientWidth - right}px`;
    this.#list.togglePopover();
    this.draw(state);
  }

  /** @param {State} state */
  draw(state) {
    const { users, count } = here(state);
    if (users === this.#users || !this.#list.matches(":popover-open")) return;
    this.#users = users;
    const items = users.map((user) => this.#item(user, state.me));
    if (count > users.length && users.length) items.push(line("li", "quiet", this.#strings.more(count - users.length)));
    this.#list.replaceChildren(...items);
  }

  #item(user, me) {
    const item = line("li", "", user === me ? `${user} (${this.#strings.you})` : "");
    item.dir = "auto";
    item.style.setProperty("--hue", hue(user));
    if (user !== me) item.append(Object.assign(line("button", "", user), { type: "button", value: user }));
    return item;
  }
}
