// The reader's position: it follows the end of the log, or stays further up, where nothing moves. Fetches pages as needed,
// marks messages as read, and says where the log begins.

import { label, newRoom, unread } from "../room.js";
import { here } from "../state.js";
import { line, write } from "../view/row.js";
import { Tail } from "./tail.js";

const AT_END_PX = 48;
const SCROLLABLE_PX = 2 * AT_END_PX; // less of a log than that beyond the screen cannot be scrolled up to
const SCROLLING_MS = 1000; // a pause that long ends a way up
const NEAR_PX = 600; // from an edge: the next page is fetched
const MARKED_MS = 3000;
const FLOOD_ROWS = 10; // more new ones than that in a frame
const CALM_MS = 300; // after a flood
const ROW_PX = 28; // the lowest row

const paper = matchMedia("print"); // there nothing is scrolled

export class View {
  #strings;
  #actions;
  #log = document.getElementById("log");
  #newer = document.getElementById("newer");
  #older = document.getElementById("older");
  #beginning = Object.assign(line("p", "beginning", ""), { hidden: true });
  /** @type {Partial<State>} */
  #state = {};
  /** @type {Room} */
  #room = newRoom("");
  #follows = true; // the reader is at the end
  #positions = new Map(); // a room's name -> the position in it
  #position = {}; // the first message in view, and how far it is below the log's top
  #tail = new Tail();
  #redraw = (..._) => {};
  #filling = 0;
  #floodUntil = 0;
  #way = { px: 0, until: 0 }; // how far the user has scrolled up
  #seen = {}; // the size and scroll position of the log at the last scroll

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    this.#older.textContent = strings.older;
    this.#older.after(this.#beginning);
    actions.log.scroll = (room, before, change) => this.#change(room, before, change);
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#newer.addEventListener("click", () => actions.app().toLatest());
    this.#older.addEventListener("click", () => {
      this.#follow(false); // stay here when older messages arrive
      this.#measure();
      actions.dispatch({ type: "loadOlder" });
    });
    // The box for a message may grow back before the observer sees that it has shrunk: that would look like scrolling up.
    const composer = document.getElementById("say-form");
    for (const change of ["input", "submit"]) composer.addEventListener(change, () => this.#keep());
    new ResizeObserver(() => paper.matches || this.#keep()).observe(this.#log);
    this.#look();
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
    this.#room = here(state);
    this.#drawTop(this.#room);
    if (this.#room.target !== null) {
      if (this.#tail.isCut) this.#fill(Infinity);
      this.#show(this.#room);
    }
    this.#afterwards();
  }

  #change(room, before, change) {
    const isOther = room.name !== before.name;
    if (isOther) {
      this.#positions.set(before.name, this.#position);
      this.#position = this.#positions.get(room.name) ?? {};
      this.#follows = !this.#position.id;
    }
    if (room.rows === before.rows && room.unreadFrom === before.unreadFrom) return;
    if (before.rows) this.#redraw = change;
    if (isOther) this.#tail.restore();
    else if (this.#follows && room.endId - before.endId > FLOOD_ROWS) this.#flood(room);
    change(this.#tail.of(room));
    const last = room.rows.at(-1);
    if (last?.status === "waiting" && before.rows && !isOther && !before.rows.includes(last)) this.#position = {};
    this.#keep();
    if (isOther && this.#follows) this.#startAtFresh();
  }

  // Laying out rows takes longest, and nobody sees those that the next frame pushes off the screen. (Once many at a time are no flood.)
  #flood({ rows }) {
    const now = performance.now();
    if (now < this.#floodUntil) this.#tail.cut(rows, this.#screenRows());
    this.#floodUntil = now + CALM_MS;
    this.#fillAfter(CALM_MS);
  }

  #screenRows() {
    return Math.ceil(this.#log.clientHeight / ROW_PX);
  }

  #fillAfter(ms) {
    clearTimeout(this.#filling);
    this.#filling = setTimeout(() => this.#fill(this.#screenRows()), ms);
  }

  // Draws rows that were left out, above the others, and in the next task some more.
  #fill(count) {
    if (!this.#tail.isCut) return;
    this.#tail.extend(this.#room.rows, count);
    this.#redraw(this.#tail.of(this.#room));
    this.#keep();
    if (this.#tail.isCut) this.#fillAfter(0);
    else this.#afterwards();
  }

  // More of the log can be fetched, or it begins here.
  #drawTop(room) {
    const { firstId, peer } = room;
    const { beginning } = this.#strings;
    const name = `\u2068${label(room)}\u2069`;
    if (firstId === 1) write(this.#beginning, peer ? beginning.direct(name) : beginning.room(name));
    if (this.#older.hidden === firstId <= 1 && this.#beginning.hidden === (firstId !== 1)) return;
    this.#older.hidden = firstId <= 1;
    this.#beginning.hidden = firstId !== 1;
    this.#keep();
  }

  #keep() {
    const { id, below } = this.#position;
    const row = this.#row(id);
    // Browsers cut off a fraction, which could be nearly a pixel.
    this.#log.scrollTop = row ? Math.round(this.#log.scrollTop + this.#below(row) - below) : this.#log.scrollHeight;
    this.#follow(!row);
    if (!row) this.#position = {};
    this.#look();
  }

  #scrolled() {
    if (paper.matches) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    // Down only the user scrolls; up, when the size changes, the browser too.
    const isSameSize = scrollHeight === this.#seen.scrollHeight && clientHeight === this.#seen.clientHeight;
    const moved = this.#seen.scrollTop - scrollTop;
    const up = isSameSize ? moved : Math.min(moved, 0);
    const isAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX && this.#wayUp(up) < AT_END_PX;
    if (isAtEnd || up > 0) this.#follow(isAtEnd);
    if (isAtEnd) this.#position = {};
    if (this.#follows && !isAtEnd) this.#keep();
    // After #keep() the position stays as it was: browsers round it, and many roundings would be seen.
    if (!isSameSize || up) this.#measure();
    this.#afterwards();
  }

  // Each new message pulls back to the end: small steps add up to a way, or nobody could leave it in a flood.
  #wayUp(px) {
    const now = performance.now();
    const isOn = px >= 0 && now < this.#way.until;
    const before = isOn ? this.#way.px : 0;
    this.#way = { px: Math.max(0, before + px), until: px > 0 ? now + SCROLLING_MS : this.#way.until };
    return this.#way.px;
  }

  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    this.#seen = { scrollTop, scrollHeight, clientHeight };
  }

  #measure() {
    this.#look();
    const row = this.#follows ? null : this.#firstInView();
    this.#position = row ? { id: row.dataset.id, below: this.#below(row) } : {};
  }

  #firstInView() {
    const rows = this.#log.querySelectorAll("[data-id]");
    let [low, high] = [0, rows.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#below(rows[middle]) + rows[middle].offsetHeight > 0) high = middle;
      else low = middle + 1;
    }
    return rows[low];
  }

  // Applies the position: marks as read, and fetches pages.
  #afterwards() {
    const { scrollTop, scrollHeight, clientHeight } = this.#seen;
    const { isAtEnd, isJoined, isKeptUnread, firstId, fetching } = this.#room;
    const isEnd = this.#follows && isAtEnd;
    const news = unread(this.#room);
    this.#newer.hidden = isEnd;
    if (!isEnd) write(this.#newer, news ? this.#strings.newMessages(news) : this.#strings.latest);
    // Far from the top the button takes no focus: focusing it would scroll away.
    this.#older.tabIndex = scrollTop < NEAR_PX ? 0 : -1;
    if (isEnd && news && !isKeptUnread && this.#state.isFocused && this.#state.scene === "chat") this.#actions.dispatch({ type: "seen" });
    if (this.#tail.isCut && !this.#follows) return this.#fillAfter(0);
    if (!isJoined || fetching || paper.matches) return;
    const isShort = !this.#tail.isCut && scrollHeight - clientHeight < SCROLLABLE_PX;
    const isNearTop = scrollTop < NEAR_PX && !this.#follows;
    if (firstId > 1 && (isShort || isNearTop)) this.#actions.dispatch({ type: "loadOlder" });
    else if (!isAtEnd && scrollHeight - scrollTop - clientHeight < NEAR_PX) this.#actions.dispatch({ type: "loadNewer" });
  }

  #follow(isFollowing) {
    if (isFollowing === this.#follows) return;
    this.#follows = isFollowing;
    this.#actions.dispatch({ type: "follow", isFollowing });
  }

  // A room opens at its first unread message.
  #startAtFresh() {
    const fresh = this.#log.querySelector(".fresh");
    if (!fresh || this.#below(fresh) > 0) return;
    fresh.scrollIntoView();
    this.#follow(false);
    this.#measure();
  }

  #show({ target, isAtEnd, fetching, isJoined }) {
    const row = this.#row(target);
    if (row) {
      this.#follow(false);
      row.scrollIntoView({ block: "center" });
      row.classList.add("target");
      setTimeout(() => row.classList.remove("target"), MARKED_MS);
      this.#scrolled();
      this.#measure();
    } else if (!target && isAtEnd) {
      this.#position = {};
      this.#keep();
    } else if (fetching || !isJoined) return;
    this.#actions.dispatch({ type: "jumped" });
  }

  #row(id) {
    return id && this.#log.querySelector(`[data-id="${id}"]`);
  }

  #below(element) {
    return element.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
  }
}
