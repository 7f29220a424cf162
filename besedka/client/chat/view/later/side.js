// The rooms at the side: those one is in, the others of the server, and a line to make one.

import { label, unread } from "../../room.js";
import { here } from "../../state.js";
import { line, write } from "../row.js";
import { DEVICE, GUEST, icon, iconButton, LOCK } from "./icon.js";

const KINDS = [undefined, "private", "direct"]; // in this order
const LIST_EVERY_MS = 30_000;
const OTHERS_AT_MOST = 30; // the switcher has them all

export class View {
  #words;
  #on;
  #state = {};
  #side = document.getElementById("side");
  #menu = document.getElementById("menu");
  #mine = document.getElementById("rooms");
  #others = document.getElementById("others");
  #title = document.getElementById("others-title");
  #me = document.getElementById("me");
  #items = new Map(); // a room's name -> its element
  #room = document.getElementById("room");

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#title.textContent = words.others;
    this.#side.addEventListener("click", (event) => this.#clicked(event));
    const leave = document.getElementById("leave");
    leave.textContent = words.leave;
    leave.addEventListener("click", () => on.happen({ type: "leave" }));
    const form = document.getElementById("room-form");
    form.elements[0].ariaLabel = words.newRoom;
    form.elements[0].placeholder = `+ ${words.newRoom}`;
    const lock = iconButton(LOCK, words.newPrivate);
    lock.addEventListener("click", () => {
      on.open("private", form.elements[0].value.trim());
      form.reset();
    });
    form.append(lock);
    const tools = line("p", "ways", "");
    for (const [name, picture, word] of [["share", GUEST, words.inviteHere], ["device", DEVICE, words.addDevice]]) {
      const button = Object.assign(line("button", "quiet", ""), { type: "button" });
      button.dataset.open = name;
      button.append(icon(picture), word);
      tools.append(button);
    }
    document.querySelector(".foot").before(tools);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = form.elements[0].value.trim();
      if (name) on.happen({ type: "go", name });
      form.reset();
    });
    setInterval(() => this.#state.isLooking && this.#list(), LIST_EVERY_MS);
  }

  draw(state) {
    const { rooms, listed, current, me, scene, connection } = state;
    const before = this.#state;
    this.#state = state;
    const isOpen = scene === "chat" && connection === "open";
    if (isOpen && (before.scene !== scene || before.connection !== connection)) this.#list();
    if (rooms === before.rooms && listed === before.listed && current === before.current && me === before.me) return;
    const mine = Object.values(rooms).sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind));
    const others = listed.filter(({ name }) => !Object.hasOwn(rooms, name)).sort((one, other) => other.clients_count - one.clients_count);
    this.#fill(this.#mine, mine, (item, room) => this.#drawMine(item, room, mine.length > 1));
    this.#fill(this.#others, others.slice(0, OTHERS_AT_MOST), (item, room) => this.#drawOther(item, room));
    this.#title.hidden = !others.length;
    const { kind } = here(state);
    this.#room.dataset.kind = kind ?? "";
    this.#room.ariaLabel = kind ? this.#words.kinds[kind](label(here(state))) : null;
    write(this.#me, me);
    drawMark(this.#menu, mine.filter((room) => room.name !== current && unread(room)).length);
  }

  #drawMine(item, room, isOneOfMany) {
    const [link, quit] = item.children;
    const isCurrent = room.name === this.#state.current;
    const news = isCurrent ? 0 : unread(room);
    const called = news && room.called;
    link.ariaCurrent = isCurrent ? "page" : null;
    const name = this.#name(link, quit, room);
    link.ariaLabel = news ? this.#words.unread(name, news, called) : room.kind ? name : null;
    link.classList.toggle("news", news > 0);
    link.classList.toggle("called", called > 0);
    drawMark(item, news && `${called ? "@ " : ""}${news > 999 ? "999+" : news}`);
    quit.hidden = !isOneOfMany;
  }

  #drawOther(item, room) {
    const [link, quit] = item.children;
    const { clients_count: count, kind } = room;
    const name = this.#name(link, quit, room);
    link.ariaCurrent = null;
    link.ariaLabel = kind ? name : null;
    link.className = "";
    quit.hidden = true;
    drawMark(item, count && this.#words.people(count), "");
  }

  // What is known of a room may come later than its name.
  #name(link, quit, room) {
    const told = label(room);
    const { kind } = room;
    write(link.firstElementChild, told);
    link.dataset.kind = kind ?? "";
    quit.ariaLabel = quit.title = this.#words.quit(told.replace(/^# /, ""));
    return kind ? this.#words.kinds[kind](told) : room.name;
  }

  // Elements stay what they are, so that the focus does.
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
    if (event.target.closest("a")) return this.#on.happen({ type: "go", name });
    const { length } = this.#state.rooms[name].outbox;
    if (!length || confirm(this.#words.leaveUnsent(length))) this.#on.happen({ type: "quit", name });
  }

  #list() {
    this.#on.happen({ type: "listRooms" });
  }
}

function drawMark(item, text, kind = "count") {
  const mark = item.querySelector("i");
  write(mark, `${text || ""}`);
  mark.className = text ? kind : "";
}
