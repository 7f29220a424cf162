// The talk itself: one row of the page for each row of the state, day lines between them, and the scroll place.

import { refusalText } from "../words.js";

const AT_BOTTOM_PX = 48;
const AT_TOP_PX = 400;
const GROUP_SECONDS = 300;

export class LogView {
  #words;
  #on;
  #log = document.getElementById("log");
  #list = document.getElementById("rows");
  #newer = document.getElementById("newer");
  #older = document.getElementById("older");
  #empty = document.getElementById("empty");
  #scene = "";
  #nodes = new Map(); // row -> its element
  #rows = [];
  #following = true;
  #seen = { scrollTop: 0, scrollHeight: 0, clientHeight: 0 };
  #unseen = 0;
  #lastId = 0;
  #dates;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    this.#dates = new Intl.DateTimeFormat(words.tag, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
    this.#list.setAttribute("aria-label", words.logLabel);
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#newer.addEventListener("click", () => this.#toBottom());
    this.#older.addEventListener("click", () => {
      this.#following = false; // stay where one reads when the older ones come
      on.older();
    });
    new ResizeObserver(() => this.#following && this.#toBottom()).observe(this.#log);
  }

  draw(state) {
    if (state.rows === this.#rows && state.scene === this.#scene) return;
    this.#scene = state.scene;
    this.#countUnseen(state);
    this.#older.hidden = state.firstId <= 1;
    this.#empty.hidden = state.rows.length > 0 || state.scene !== "chat";
    const anchor = this.#following ? null : this.#firstVisible();
    this.#place(state);
    this.#rows = state.rows;
    if (this.#following || state.rows.at(-1)?.status === "waiting") this.#toBottom();
    else if (anchor) this.#log.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
    this.#drawNewer();
  }

  // Walks rows and elements side by side; only what differs is touched.
  #place(state) {
    const nodes = new Map();
    let cursor = this.#list.firstElementChild;
    const put = (element) => {
      if (element === cursor) cursor = cursor.nextElementSibling;
      else this.#list.insertBefore(element, cursor);
    };
    let above = null;
    for (const row of state.rows) {
      if (row.day && row.day !== above?.day) put(this.#keep(nodes, `day ${row.day}`, () => this.#day(row.day)));
      const element = this.#keep(nodes, row, () => this.#row(row, state));
      if (row.kind === "message") element.classList.toggle("first", !continues(above, row));
      put(element);
      above = row.kind === "message" && row.id ? row : row.kind === "message" ? { ...row, day: above?.day } : { day: above?.day };
    }
    while (cursor) {
      const next = cursor.nextElementSibling;
      cursor.remove();
      cursor = next;
    }
    this.#nodes = nodes;
  }

  #keep(nodes, key, make) {
    const element = this.#nodes.get(key) ?? make();
    nodes.set(key, element);
    return element;
  }

  #row(row, state) {
    return row.kind === "system" ? this.#system(row) : this.#message(row, state);
  }

  #message(row, { limits }) {
    const element = clone("row-message");
    const { own, old, status, live } = row;
    for (const [name, on] of Object.entries({ own, old, arriving: live && !own })) element.classList.toggle(name, Boolean(on));
    element.classList.add(status);
    if (row.id) element.dataset.id = row.id;
    const name = element.querySelector(".name");
    name.textContent = row.user;
    name.style.setProperty("--hue", hue(row.user));
    element.querySelector(".text").textContent = row.text;
    const time = element.querySelector("time");
    time.textContent = row.status === "failed" ? refusalText(this.#words, row.refusal, limits) : (row.time ?? "").slice(0, 5);
    if (row.day) {
      time.dateTime = `${row.day}T${row.time}`;
      time.title = `${row.day} ${row.time}`;
    }
    return element;
  }

  #system({ joined, left, text }) {
    const element = clone("row-system");
    const isolated = (names) => names.map((name) => `\u2068${name}\u2069`);
    const parts = [joined.length && this.#words.joined(isolated(joined)), left.length && this.#words.left(isolated(left))];
    element.firstElementChild.textContent = parts.filter(Boolean).join(" · ") || text;
    return element;
  }

  #day(day) {
    const element = clone("row-day");
    const distance = Math.round((Date.parse(localDay(new Date())) - Date.parse(day)) / 86_400_000);
    const date = new Date(`${day}T00:00:00Z`);
    element.firstElementChild.textContent =
      { 0: this.#words.today, 1: this.#words.yesterday }[distance] ?? (isNaN(date) ? day : this.#dates.format(date));
    return element;
  }

  #countUnseen({ rows, lastId }) {
    if (!this.#following) {
      this.#unseen += rows.filter((row) => row.id > this.#lastId && !row.own && this.#lastId).length;
    }
    this.#lastId = lastId;
  }

  #firstVisible() {
    const top = this.#log.getBoundingClientRect().top;
    for (const element of this.#list.children) {
      const box = element.getBoundingClientRect();
      if (box.bottom > top && element.dataset.id) return { element, top: box.top };
    }
    return null;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    const isAtBottom = scrollHeight - scrollTop - clientHeight < AT_BOTTOM_PX;
    // Only a person scrolls up within the same measures; when they change, the browser moves the place itself.
    const isSameSize = scrollHeight === this.#seen.scrollHeight && clientHeight === this.#seen.clientHeight;
    const wentUp = scrollTop < this.#seen.scrollTop;
    if (isAtBottom) this.#following = true;
    else if (isSameSize && wentUp) this.#following = false;
    this.#seen = { scrollTop, scrollHeight, clientHeight };
    if (this.#following && !isAtBottom) this.#toBottom();
    this.#drawNewer();
    // Far from the top it is no stop for the keyboard: going there would leave the place where one reads.
    this.#older.tabIndex = scrollTop < AT_TOP_PX ? 0 : -1;
    if (scrollTop < AT_TOP_PX && !this.#following) this.#on.older();
  }

  #toBottom() {
    this.#following = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    this.#seen = { scrollTop, scrollHeight, clientHeight };
    this.#drawNewer();
  }

  #drawNewer() {
    if (this.#following) this.#unseen = 0;
    this.#newer.hidden = this.#following;
    this.#newer.textContent = this.#unseen ? this.#words.newMessages(this.#unseen) : this.#words.latest;
  }
}

function continues(above, row) {
  if (above?.user !== row.user || Boolean(above.old) !== Boolean(row.old)) return false;
  if (!row.id || !above.id) return true;
  return above.day === row.day && seconds(row.time) - seconds(above.time) < GROUP_SECONDS;
}

function seconds(time) {
  const [hours, minutes, rest] = time.split(":").map(Number);
  return hours * 3600 + minutes * 60 + rest;
}

/** A steady colour for a name: one of twelve hues that are told apart. */
function hue(name) {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 65_521;
  return (sum % 12) * 30;
}

function localDay(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}
