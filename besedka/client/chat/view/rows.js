// The elements of a room's rows, with day lines and the line of what is new between them.

import { line, message } from "./row.js";

const GROUP_SECONDS = 300;
const ARRIVING_AT_MOST = 3; // more at once are no event, and a burden

export class Rows {
  #words;
  #list = document.getElementById("rows");
  #elements = new Map(); // a row, or the text of a line between rows -> its element
  #dress = () => {};

  constructor(words) {
    this.#words = words;
  }

  /** From now on elements are dressed by this, those that are there too. */
  dressBy(dress, state) {
    this.#dress = dress;
    for (const [row, element] of this.#elements) if (row.kind) dress(element, row, state);
  }

  // Walks rows and elements side by side; only what differs is touched.
  draw({ rows, firstId, unreadFrom }, state) {
    const elements = new Map();
    let next = this.#list.firstElementChild;
    const put = (key, make) => {
      const element = this.#elements.get(key) ?? make();
      elements.set(key, element);
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
      return element;
    };
    const arriving = [];
    let above = {};
    let day = "";
    let isFresh = unreadFrom >= 0 && firstId <= unreadFrom + 1;
    for (const row of rows) {
      if (row.day && row.day !== day) put((day = row.day), () => line("li", "day", dayText(day, this.#words)));
      if (isFresh && row.id > unreadFrom && !row.own) {
        put("fresh", () => line("li", "fresh", this.#words.fresh));
        isFresh = false;
        above = {};
      }
      const element = put(row, () => {
        const made = this.#make(row, state);
        if (row.live && !row.own) arriving.push(made);
        return made;
      });
      element.classList.toggle("first", !continues(above, row));
      above = row;
    }
    while (next) {
      const gone = next;
      next = next.nextElementSibling;
      gone.remove();
    }
    this.#elements = elements;
    if (arriving.length <= ARRIVING_AT_MOST) for (const element of arriving) element.classList.add("arriving");
  }

  #make(row, state) {
    const element = row.kind === "message" ? message(row) : line("li", "system", row.text);
    this.#dress(element, row, state);
    return element;
  }
}

function continues(above, row) {
  if (above.user !== row.user || Boolean(above.old) !== Boolean(row.old) || above.isDoubtful !== row.isDoubtful) return false;
  return !row.id || !above.id || (above.day === row.day && seconds(row.time) - seconds(above.time) < GROUP_SECONDS);
}

function seconds(time) {
  const [hours, minutes, rest] = time.split(":").map(Number);
  return hours * 3600 + minutes * 60 + rest;
}

function dayText(day, { today, yesterday, locale }) {
  const date = new Date(`${day}T00:00:00Z`);
  const now = new Date();
  const distance = (Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - date) / 86_400_000;
  if (isNaN(date)) return day;
  return [today, yesterday][distance] ?? date.toLocaleDateString(locale, { dateStyle: "long", timeZone: "UTC" });
}
