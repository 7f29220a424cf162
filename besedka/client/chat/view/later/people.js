// Who is here: a list under its button.

import { here } from "../../state.js";
import { hue, line } from "../row.js";

export class View {
  #words;
  #button = document.getElementById("people");
  #list = line("ul", "popup", "");
  #users = null;

  constructor(words, on) {
    this.#words = words;
    this.#list.addEventListener("click", ({ target }) => {
      const { value } = target.closest("button") ?? {};
      if (!value) return;
      this.#list.hidePopover();
      this.#button.focus(); // where one is again when that is closed
      on.open("person", value);
    });
    this.#list.id = "people-list";
    this.#list.popover = "auto";
    this.#list.tabIndex = -1;
    this.#list.ariaLabel = words.here;
    this.#button.after(this.#list);
    this.#button.setAttribute("aria-controls", "people-list");
    this.#list.addEventListener("toggle", ({ newState }) => (this.#button.ariaExpanded = newState === "open"));
  }

  open(state) {
    const { bottom, right } = this.#button.getBoundingClientRect();
    this.#list.style.top = `${bottom + 4}px`;
    this.#list.style.right = `${document.documentElement.clientWidth - right}px`;
    this.#list.togglePopover();
    this.draw(state);
  }

  draw(state) {
    const { users, count } = here(state);
    if (users === this.#users || !this.#list.matches(":popover-open")) return;
    this.#users = users;
    const items = users.map((user) => this.#item(user, state.me));
    if (count > users.length && users.length) items.push(line("li", "quiet", this.#words.more(count - users.length)));
    this.#list.replaceChildren(...items);
  }

  #item(user, me) {
    const item = line("li", "", user === me ? `${user} (${this.#words.you})` : "");
    item.dir = "auto";
    item.style.setProperty("--hue", hue(user));
    if (user !== me) item.append(Object.assign(line("button", "", user), { type: "button", value: user }));
    return item;
  }
}
