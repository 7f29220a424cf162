// The rooms at the side: those one is in, the others of the server, and a line to make one.

import { unread } from "../../room.js";
import { write } from "../row.js";

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
    const mine = Object.values(rooms);
    const others = listed.filter(({ name }) => !Object.hasOwn(rooms, name)).sort((one, other) => other.clients_count - one.clients_count);
    this.#fill(this.#mine, mine, (item, room) => this.#drawMine(item, room, mine.length > 1));
    this.#fill(this.#others, others.slice(0, OTHERS_AT_MOST), (item, room) => this.#drawOther(item, room));
    this.#title.hidden = !others.length;
    write(this.#me, me);
    drawMark(this.#menu, mine.filter((room) => room.name !== current && unread(room)).length);
  }

  #drawMine(item, room, isOneOfMany) {
    const [link, quit] = item.children;
    const isCurrent = room.name === this.#state.current;
    const news = isCurrent ? 0 : unread(room);
    const called = news && room.called;
    link.ariaCurrent = isCurrent ? "page" : null;
    link.ariaLabel = news ? this.#words.unread(room.name, news, called) : null;
    link.classList.toggle("news", news > 0);
    link.classList.toggle("called", called > 0);
    drawMark(item, news && `${called ? "@ " : ""}${news > 999 ? "999+" : news}`);
    quit.hidden = !isOneOfMany;
  }

  #drawOther(item, { clients_count: count }) {
    const [link, quit] = item.children;
    link.ariaCurrent = null;
    link.className = "";
    quit.hidden = true;
    drawMark(item, count && this.#words.people(count), "");
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
    const item = document.getElementById("room-item").content.firstElementChild.cloneNode(true);
    const [link, quit] = item.children;
    item.dataset.room = name;
    link.href = `#${encodeURIComponent(name)}`;
    link.firstElementChild.textContent = `# ${name}`;
    quit.ariaLabel = quit.title = this.#words.quit(name);
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
