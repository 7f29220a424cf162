// Opens a room by its name: Ctrl+K, some letters, Enter. Rooms with unread messages come first, the current one last of the user's own.
// Enter never makes a room: that is a line of its own, to be chosen.

import { roomName } from "../protocol.js";
import { label, unread } from "../room.js";
import { line } from "../view/row.js";
import { dialog } from "../view/controls/dialog.js";
import { Combobox } from "../view/controls/combobox.js";

const SHOWN_AT_MOST = 50;

export class View {
  #strings;
  #actions;
  #dialog;
  #input = document.createElement("input");
  #options;
  /** @type {State} */
  #state;

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#dialog = dialog("switcher", strings.goTo, strings);
    this.#input.placeholder = this.#input.ariaLabel = strings.goToHint;
    this.#input.autocomplete = "off";
    this.#input.spellcheck = false;
    this.#input.dir = "auto";
    this.#options = new Combobox(this.#input, strings.rooms, (name) => this.#go(name));
    this.#dialog.append(this.#input, this.#options.list);
    this.#input.addEventListener("input", () => this.#fill());
    this.#input.addEventListener("keydown", (event) => this.#options.press(event));
    this.#dialog.addEventListener("close", () => this.#options.hide());
  }

  open(state) {
    this.#state = state;
    this.#input.value = "";
    this.#actions.dispatch({ type: "listRooms" });
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#input.focus();
    this.#fill();
  }

  /** @param {State} state */
  draw(state) {
    const isOther = state.listed !== this.#state?.listed;
    this.#state = state;
    if (isOther && this.#dialog.open) this.#fill();
  }

  #fill() {
    const { rooms, listed, current } = this.#state;
    const wanted = this.#input.value.trim().toLowerCase().replace(/^#/, "");
    const rank = (/** @type {Room} */ room) => (room.name === current ? -1 : unread(room));
    const mine = Object.values(rooms).sort((one, other) => rank(other) - rank(one));
    const all = new Map([...listed, ...mine].map((room) => [room.name, room]));
    const names = [...new Set([...mine, ...listed].map(({ name }) => name))];
    const found = names.filter((name) => label(all.get(name)).toLowerCase().includes(wanted)).slice(0, SHOWN_AT_MOST);
    const isNew = wanted && !names.includes(roomName(wanted)) && roomName(wanted);
    const options = found.map((name) => ({ value: name, nodes: this.#label(all.get(name)) }));
    if (isNew) options.push({ value: wanted, nodes: [this.#strings.make(roomName(wanted))] });
    this.#options.show(options, found.length ? 0 : -1);
    // The server lists rooms in pages.
    if (found.length < SHOWN_AT_MOST) this.#actions.dispatch({ type: "listRooms", more: true });
  }

  #label(room) {
    const { name, kind } = room;
    const { rooms, listed, current } = this.#state;
    const news = Object.hasOwn(rooms, name) && unread(rooms[name]);
    const count = listed.find((room) => room.name === name)?.clients_count;
    const about = name === current ? this.#strings.youAreHere : count ? this.#strings.people(count) : "";
    const side = news ? line("i", "count", news) : line("small", "quiet", about);
    const title = Object.assign(line("span", "", label(room)), { dir: "auto" });
    title.dataset.kind = kind ?? "";
    return [title, side];
  }

  #go(name) {
    this.#dialog.close();
    this.#actions.dispatch({ type: "openRoom", name, isMeant: true });
  }
}
