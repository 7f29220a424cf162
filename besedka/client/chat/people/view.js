// The people of the room: a list under its button, in alphabetical order, this user first.

import { here } from "../state.js";
import { FILTERED_FROM, filterBox } from "../view/controls/form.js";
import { hue, line } from "../view/row.js";

export class View {
  #strings;
  #button = document.getElementById("people");
  #popup = line("div", "popup", "");
  #filter;
  #list = document.createElement("ul");
  #drawn = {};
  /** @type {State} */
  #state;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#list.addEventListener("click", ({ target }) => {
      const { value } = target.closest("button") ?? {};
      if (!value) return;
      this.#popup.hidePopover();
      this.#button.focus(); // the focus comes back here
      actions.open("person", value);
    });
    this.#popup.id = "people-list";
    this.#popup.popover = "auto";
    this.#popup.tabIndex = -1;
    this.#list.ariaLabel = strings.here;
    this.#filter = filterBox(strings.filterPeople, () => this.draw(this.#state));
    this.#popup.append(this.#filter, this.#list);
    this.#button.after(this.#popup);
    this.#button.setAttribute("aria-controls", "people-list");
    this.#popup.addEventListener("toggle", ({ newState }) => (this.#button.ariaExpanded = String(newState === "open")));
  }

  open(state) {
    const { bottom, right } = this.#button.getBoundingClientRect();
    this.#popup.style.top = `${bottom + 4}px`;
    this.#popup.style.right = `${document.documentElement.clientWidth - right}px`;
    this.#filter.value = "";
    this.#popup.togglePopover();
    this.draw(state);
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
    const { users, count } = here(state);
    const filter = this.#filter.value.trim().toLowerCase();
    const isDrawn = users === this.#drawn.users && filter === this.#drawn.filter;
    if (isDrawn || !this.#popup.matches(":popover-open")) return;
    this.#drawn = { users, filter };
    this.#filter.hidden = !filter && users.length < FILTERED_FROM;
    const order = new Intl.Collator(this.#strings.locale, { numeric: true });
    const found = users.filter((user) => user.toLowerCase().includes(filter));
    found.sort((one, other) => Number(other === state.me) - Number(one === state.me) || order.compare(one, other));
    const items = found.map((user) => this.#item(user, state.me));
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
