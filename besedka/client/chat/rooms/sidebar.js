// The rooms at the side: those of this user, the others of the server, and a field to make one.

import { label, unread } from "../room.js";
import { here } from "../state.js";
import { line, write } from "../view/row.js";
import { button, FILTERED_FROM, filterBox } from "../view/controls/form.js";
import { DEVICE, GEAR, GUEST, HELP, icon, iconButton, LOCK } from "../view/controls/icon.js";

const KINDS = [undefined, "private", "direct"]; // in this order
const LIST_EVERY_MS = 30_000;
const OTHERS_AT_MOST = 200; // the switcher has them all

export class View {
  #strings;
  #actions;
  /** @type {Partial<State>} */
  #state = {};
  #side = document.getElementById("side");
  #menu = document.getElementById("menu");
  #mine = withId("ul", "rooms");
  #others = withId("ul", "others");
  #title = withId("h2", "others-title");
  #filter;
  #filtered = ""; // as it was drawn
  #rest;
  #me = withId("b", "me");
  #items = new Map(); // a room's name -> its element
  #room = document.getElementById("room");

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#title.textContent = strings.others;
    this.#side.addEventListener("click", (event) => this.#clicked(event));
    const brand = line("p", "brand", "");
    brand.append(Object.assign(document.createElement("img"), { src: "icon.svg", alt: "", width: 32, height: 32 }), line("b", "", strings.title));
    const lists = line("div", "lists", "");
    this.#filter = filterBox(strings.filterRooms, () => this.draw(/** @type {State} */ (this.#state)));
    this.#filter.id = "room-filter";
    this.#rest = Object.assign(button("quiet wide", strings.allRooms, () => actions.open("switcher")), { hidden: true });
    lists.append(this.#filter, this.#mine, this.#form(), this.#title, this.#others, this.#rest);
    const foot = line("p", "foot", "");
    this.#me.dir = "auto";
    foot.append(this.#me, Object.assign(button("quiet", strings.leave, () => actions.app().leave()), { id: "leave" }));
    this.#side.append(brand, lists, this.#tools(), foot);
    document.addEventListener("keydown", (event) => this.#pressed(event));
    setInterval(() => this.#state.isFocused && this.#list(), LIST_EVERY_MS);
  }

  // Ctrl+K opens the switcher and, where no text is typed, ? the help.
  #pressed(event) {
    const isSwitcher = event.code === "KeyK" && (event.ctrlKey || event.metaKey);
    const isHelp = event.key === "?" && !event.target.closest("input, textarea, dialog");
    if (this.#state.scene !== "chat" || !(isSwitcher || isHelp)) return;
    event.preventDefault();
    this.#actions.open(isSwitcher ? "switcher" : "help");
  }

  // A field for the name of another room, and a button to make it a private one.
  #form() {
    const form = withId("form", "room-form");
    const attributes = { autocomplete: "off", autocapitalize: "none", spellcheck: false, enterKeyHint: "go", dir: "auto" };
    const input = Object.assign(document.createElement("input"), attributes);
    input.ariaLabel = this.#strings.newRoom;
    input.placeholder = `+ ${this.#strings.newRoom}`;
    const lock = iconButton(LOCK, this.#strings.newPrivate);
    lock.addEventListener("click", () => {
      this.#actions.open("private_room", input.value.trim());
      form.reset();
    });
    form.append(input, lock);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (name) this.#actions.dispatch({ type: "openRoom", name, isMeant: true });
      form.reset();
    });
    return form;
  }

  #tools() {
    const tools = line("p", "invite-tools", "");
    const { inviteHere, addDevice, preferences, help } = this.#strings;
    const panels = [["chat_link", GUEST, inviteHere], ["device", DEVICE, addDevice], ["preferences", GEAR, preferences.title], ["help", HELP, help]];
    for (const [name, picture, text] of panels) {
      const tool = button("quiet", "", () => {});
      tool.dataset.open = name;
      tool.append(icon(picture), text);
      tools.append(tool);
    }
    return tools;
  }

  /** @param {State} state */
  draw(state) {
    const { rooms, listed, current, me, scene, connection } = state;
    const before = this.#state;
    this.#state = state;
    const isOpen = scene === "chat" && connection === "open";
    if (isOpen && (before.scene !== scene || before.connection !== connection)) this.#list();
    const filter = this.#filter.value.trim().toLowerCase().replace(/^#/, "");
    const isSame = rooms === before.rooms && listed === before.listed && current === before.current && me === before.me;
    if (isSame && filter === this.#filtered) return;
    this.#filtered = filter;
    const mine = Object.values(rooms).sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind));
    const unjoined = listed.filter(({ name }) => !Object.hasOwn(rooms, name)).sort((one, other) => other.clients_count - one.clients_count);
    // However many strangers ask, the other rooms stay in sight.
    const others = [...unjoined.filter(({ asked }) => !asked).slice(0, OTHERS_AT_MOST), ...unjoined.filter(({ asked }) => asked)];
    this.#filter.hidden = !filter && mine.length + unjoined.length < FILTERED_FROM;
    const isWanted = (/** @type {Room | Listed} */ room) => label(room).toLowerCase().includes(filter);
    this.#fill(this.#mine, mine.filter(isWanted), (item, room) => this.#drawMine(item, room, mine.length > 1));
    this.#fill(this.#others, others.filter(isWanted), (item, room) => this.#drawOther(item, room));
    this.#title.hidden = !this.#others.childElementCount;
    this.#rest.hidden = !state.moreRooms && unjoined.length <= others.length;
    const { kind } = here(state);
    this.#room.dataset.kind = kind ?? "";
    this.#room.ariaLabel = kind ? this.#strings.kinds[kind](label(here(state))) : null;
    write(this.#me, me);
    drawMark(this.#menu, mine.filter((room) => room.name !== current && unread(room)).length);
  }

  #drawMine(item, room, isOneOfMany) {
    const [link, quit] = item.children;
    const isCurrent = room.name === this.#state.current;
    const news = isCurrent && !room.isKeptUnread ? 0 : unread(room);
    const mentions = news && room.mentions;
    link.ariaCurrent = isCurrent ? "page" : null;
    const name = this.#name(link, quit, room);
    link.ariaLabel = news ? this.#strings.unread(name, news, mentions) : room.kind ? name : null;
    link.classList.toggle("news", news > 0);
    link.classList.toggle("mentioned", mentions > 0);
    drawMark(item, news && `${mentions ? "@ " : ""}${news > 999 ? "999+" : news}`);
    quit.hidden = !isOneOfMany;
  }

  #drawOther(item, room) {
    const [link, quit] = item.children;
    const { clients_count: count, kind, asked, archived } = room;
    const name = this.#name(link, quit, room);
    link.ariaCurrent = null;
    link.ariaLabel = kind ? name : null;
    link.className = "";
    quit.hidden = true;
    drawMark(item, asked ? this.#strings.request : archived ? this.#strings.archived : count && this.#strings.people(count), "");
  }

  // The kind of a room may be known later than its name.
  #name(link, quit, room) {
    const title = label(room);
    const { kind } = room;
    write(link.firstElementChild, title);
    link.dataset.kind = kind ?? "";
    quit.ariaLabel = quit.title = this.#strings.quit(title.replace(/^# /, ""));
    return kind ? this.#strings.kinds[kind](title) : room.name;
  }

  // Elements are kept, so that the focus stays.
  #fill(list, rooms, draw) {
    rooms.forEach((room, index) => {
      if (!this.#items.has(room.name)) this.#items.set(room.name, this.#item(room.name));
      const item = this.#items.get(room.name);
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
      draw(item, room);
    });
    while (list.children.length > rooms.length) list.lastElementChild.remove();
  }

  #item(name) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.append(Object.assign(document.createElement("span"), { dir: "auto" }), document.createElement("i"));
    item.append(link, Object.assign(line("button", "", "×"), { type: "button" }));
    item.dataset.room = name;
    link.href = `#${encodeURIComponent(name)}`;
    return item;
  }

  #clicked(event) {
    const { room: name } = event.target.closest("li")?.dataset ?? {};
    if (!name || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (event.target.closest("a")) return this.#actions.dispatch({ type: "openRoom", name });
    this.#actions.app().leaveRoom(name);
  }

  #list() {
    this.#actions.dispatch({ type: "listRooms" });
  }
}

function withId(tag, id) {
  return Object.assign(document.createElement(tag), { id });
}

function drawMark(item, text, kind = "count") {
  const mark = item.querySelector("i");
  write(mark, `${text || ""}`);
  mark.className = text ? kind : "";
}
