// What goes on around the talk: commands, other tabs, the address, whether anybody looks, notifications, what is kept.

import { read as readCommand } from "./commands.js";
import { Keeping } from "./keeping.js";
import { mentions, placeOf, readPlace } from "./protocol.js";
import { here, roomOf, unreadRooms } from "./state.js";
import { get, read, set } from "./storage.js";

const BACKGROUND_MS = 1000; // there are no animation frames in the background
const ELSEWHERE_MS = 1500; // after that it is known whether it was read in another tab
const OFFLINE_MS = 5000; // first what one waits for
const BELLS = new Map([["on", "mentions"], ["all", "all"], ["off", "none"]]);

export class Around {
  #app;
  #keeping;
  #drawing = 0;
  #telling = 0;
  #news = new Map(); // a room's name -> the last frame of it that is to be told
  #marked = "0 0";
  #orders;

  /**
   * @param app {happen(event), on, page, socket, speak(text), words, state()}, as chat.js makes it
   * @param kept the rooms as they were when one came in
   */
  constructor(app, kept) {
    const { happen, on } = app;
    this.#app = app;
    this.#keeping = new Keeping(kept);
    this.#orders = {
      join: (name) => happen({ type: "go", name }),
      leave: () => this.#leave(app.state()),
      name: (name) => {
        happen({ type: "leave" });
        on.enter(name);
      },
      bell: (which) => happen({ type: "notice", which: BELLS.get(which) ?? "mentions" }),
      exit: () => happen({ type: "leave" }),
    };
    document.addEventListener("visibilitychange", () => this.#look());
    for (const event of ["focus", "blur", "pageshow"]) addEventListener(event, () => this.#look());
    addEventListener("online", () => app.socket.hurry());
    addEventListener("hashchange", () => this.#visit());
    addEventListener("storage", ({ key, newValue }) => this.#elsewhere(key ?? "", newValue));
    const isPossible = isSecureContext && "Notification" in globalThis;
    happen({ type: "set", permission: isPossible ? Notification.permission : "impossible", sound: Boolean(get("sound")) });
    this.#look();
    setTimeout(() => import("./offline.js").catch(() => {}), OFFLINE_MS); // if not now, then at the next visit
  }

  /** What was typed behind a slash. False: it is no command, and stays where it is. */
  command(text) {
    const { say, order, mistake } = readCommand(text);
    if (say) return this.#app.speak(say);
    if (mistake) this.#app.happen({ type: "refuse", refusal: mistake });
    else if (this.#orders[order.name]) this.#orders[order.name](order.argument);
    else this.#app.page.order(order.name, order.argument);
    return !mistake;
  }

  /** Something is another than it was. */
  changed(state) {
    this.#keeping.keep(state);
    if (readPlace(location.hash).room !== state.current) history.pushState(null, "", placeOf(state.current));
    if (document.hidden) this.#drawing ||= setTimeout(() => this.#drawInBackground(), BACKGROUND_MS);
    this.#mark(state);
  }

  /** Somebody has said something. */
  heard(frame) {
    const state = this.#app.state();
    const { notice } = roomOf(state, frame.room);
    if (notice === "none" || (notice === "mentions" && !mentions(frame.text, state.me))) return;
    this.#news.set(frame.room, frame);
    this.#telling ||= setTimeout(() => this.#tell().catch(() => {}), ELSEWHERE_MS);
  }

  /** To be called from a click: elsewhere browsers do not ask. */
  async askToNotify() {
    if (this.#app.state().permission === "impossible") return;
    this.#app.happen({ type: "set", permission: await Notification.requestPermission() });
  }

  setSound(sound) {
    set("sound", sound ? "on" : "");
    this.#app.happen({ type: "set", sound });
  }

  // However much is said, one notification for each room; none of what was read meanwhile.
  async #tell() {
    const state = this.#app.state();
    const { current, isLooking, permission, sound } = state;
    const isUnread = ({ room, id }) => id > roomOf(state, room)?.readTo && !(isLooking && room === current);
    const news = [...this.#news.values()].filter(isUnread);
    this.#news.clear();
    this.#telling = 0;
    if (!news.length) return;
    const { show, beep } = await import("./notify.js");
    if (sound) beep();
    if (permission !== "granted") return;
    for (const { room: name, user, text } of news) {
      show(`${user}, # ${name}`, text, name, () => this.#app.happen({ type: "go", name })).catch(() => {});
    }
  }

  #leave(state) {
    const { name, outbox } = here(state);
    const { happen, words } = this.#app;
    if (Object.keys(state.rooms).length < 2) happen({ type: "refuse", refusal: { code: "last_room" } });
    else if (!outbox.length || confirm(words.leaveUnsent(outbox.length))) happen({ type: "quit", name });
  }

  #drawInBackground() {
    this.#drawing = 0;
    this.#app.page.draw(this.#app.state());
  }

  // The icon tells that there is something unread, and whether one was called.
  #mark(state) {
    const rooms = state.scene === "chat" ? unreadRooms(state) : [];
    const called = rooms.reduce((sum, room) => sum + room.called, 0);
    const marks = `${Math.min(rooms.length, 1)} ${called}`;
    if (marks === this.#marked) return;
    this.#marked = marks;
    import("./notify.js").then(({ mark }) => marks === this.#marked && mark(rooms.length, called)).catch(() => {});
  }

  #look() {
    const isLooking = !document.hidden && document.hasFocus();
    if (isLooking) this.#app.socket.hurry();
    if (isLooking !== this.#app.state().isLooking) this.#app.happen({ type: "look", isLooking });
  }

  #visit() {
    const { room, id } = readPlace(location.hash);
    history.replaceState(null, "", placeOf(room, id));
    this.#app.happen({ type: "go", name: room });
    if (id) this.#app.happen({ type: "jump", name: room, id });
  }

  // Another tab of this browser has written, or removed, what is kept.
  #elsewhere(key, value) {
    const state = this.#app.state();
    const [, kind, name] = /^besedka\.(\w+)\.([^]*)$/.exec(key) ?? [];
    const one = roomOf(state, name);
    if (kind === "room" && value && one) {
      const { readTo, epoch, notice } = read(value);
      if (epoch === one.epoch) this.#app.happen({ type: "read", name, readTo });
      if (notice && notice !== one.notice) this.#app.happen({ type: "notice", name, which: notice });
    } else if (kind === "unsent" && !value) {
      const room = Object.values(state.rooms).find(({ outbox }) => outbox.some((one) => one.key === name));
      if (room) this.#app.happen({ type: "discard", name: room.name, key: name });
    }
  }
}
