// The elements of a room's rows, with the lines of days and of unread messages between them.

import { line, message } from "./row.js";

const GROUP_SECONDS = 300;

export class Rows {
  #strings;
  #list = document.getElementById("rows");
  #elements = new Map(); // a row, or the text of a line between rows -> its element
  #today = "";
  #format = (..._) => {};

  constructor(strings) {
    this.#strings = strings;
  }

  /** Formats all elements with this function, existing ones too. */
  formatWith(format, state) {
    this.#format = format;
    for (const [row, element] of this.#elements) if (row.kind) format(element, row, state);
  }

  // Walks rows and elements side by side, and touches only what differs.
  draw({ rows, unreadFrom, markedId }, state) {
    this.#renameDays(rows);
    const elements = new Map();
    let next = this.#list.firstElementChild;
    const put = (key, make) => {
      const element = this.#elements.get(key) ?? make();
      elements.set(key, element);
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
      return element;
    };
    let above = {};
    let day = "";
    let isFresh = unreadFrom >= 0 && rows.find(({ id }) => id)?.id <= unreadFrom + 1;
    for (const row of rows) {
      if (row.day && row.day !== day) put((day = row.day), () => line("li", "day", dayText(day, this.#strings)));
      if (isFresh && row.id > unreadFrom && (!row.own || row.id === markedId)) {
        put("fresh", () => line("li", "fresh", this.#strings.fresh));
        isFresh = false;
        above = {};
      }
      const element = put(row, () => this.#make(row, state));
      element.classList.toggle("first", !continues(above, row));
      above = row;
    }
    while (next) {
      const gone = next;
      next = next.nextElementSibling;
      gone.remove();
    }
    this.#elements = elements;
  }

  // At midnight today becomes yesterday.
  #renameDays(rows) {
    const today = new Date().toDateString();
    if (today !== this.#today) for (const { day } of rows) this.#elements.delete(day);
    this.#today = today;
  }

  #make(row, state) {
    const element = row.kind === "message" ? message(row, this.#strings) : line("li", "system", row.text);
    this.#format(element, row, state);
    return element;
  }
}

function continues(above, row) {
  if (above.user !== row.user || Boolean(above.old) !== Boolean(row.old) || above.isUnverified !== row.isUnverified) return false;
  return !row.id || !above.id || (above.day === row.day && seconds(row.time) - seconds(above.time) < GROUP_SECONDS);
}

function seconds(time) {
  const [hours, minutes, rest] = time.split(":").map(Number);
  return hours * 3600 + minutes * 60 + rest;
}

function dayText(day, { today, yesterday, locale }) {
  const date = new Date(`${day}T00:00:00Z`);
  const now = new Date();
  const distance = (Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - Number(date)) / 86_400_000;
  if (isNaN(Number(date))) return day;
  return [today, yesterday][distance] ?? date.toLocaleDateString(locale, { dateStyle: "long", timeZone: "UTC" });
}
