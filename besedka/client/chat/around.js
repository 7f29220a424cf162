// What goes on around the talk: commands, other tabs, the address, whether anybody looks, notifications, what is kept.

import { bareNumber, COMMANDS, nameAndRest, read as readCommand, request } from "./commands.js";
import { Keeping } from "./keeping.js";
import { DEFAULT_ROOM, mentions, placeOf, readPlace, roomName } from "./protocol.js";
import { label } from "./room.js";
import { here, roomOf, unreadRooms } from "./state.js";
import { all, get, newKey, read, set } from "./storage.js";

const BACKGROUND_MS = 1000; // there are no animation frames in the background
const ELSEWHERE_MS = 1500; // after that it is known whether it was read in another tab
const OFFLINE_MS = 5000; // first what one waits for
const REQUESTS = new Set(["private", "msg", "invite", "uninvite", "kick", "mute", "unmute", "ban", "unban", "slow", "redact"]);
const BELLS = new Map([["on", "mentions"], ["all", "all"], ["off", "none"]]);

export class Around {
  #app;
  #keeping;
  #drawing = 0;
  #telling = 0;
  #news = new Map(); // a room's name -> the last frame of it that is to be told
  #marked = "0 0";
  #hidden = [];
  #orders;

  /**
   * @param app {happen(event), on, page, socket, speak(text), words, access, key(), unlock(key), state()}, as chat.js makes it
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
      device: () => {
        this.addDevice();
        app.page.order("device", "asked");
      },
      exit: () => happen({ type: "leave" }),
    };
    document.addEventListener("visibilitychange", () => this.#look());
    for (const event of ["focus", "blur", "pageshow"]) addEventListener(event, () => this.#look());
    addEventListener("online", () => app.socket.hurry());
    addEventListener("storage", ({ key, newValue }) => this.#elsewhere(key ?? "", newValue));
    const isPossible = isSecureContext && "Notification" in globalThis;
    const permission = isPossible ? Notification.permission : "impossible";
    this.#hidden = all("hidden").map(([name]) => name);
    happen({ type: "set", permission, sound: Boolean(get("sound")), hidden: this.#hidden });
    this.#look();
    setTimeout(() => import("./offline.js").catch(() => {}), OFFLINE_MS); // if not now, then at the next visit
  }

  /** What was typed behind a slash. False: it is no command, and stays where it is. */
  command(text) {
    const { say, order, mistake } = readCommand(text);
    if (say) return this.#app.speak(say);
    if (mistake) this.#app.happen({ type: "refuse", refusal: mistake });
    else if (this.#orders[order.name]) this.#orders[order.name](order.argument);
    else if (REQUESTS.has(order.name)) return this.#request(order);
    else this.#app.page.order(order.name, order.argument);
    return !mistake;
  }

  #request({ name, argument }) {
    const { happen, page, state } = this.#app;
    const asked = request(name, argument, state().current);
    const number = /^(mute|ban)$/.test(name) && bareNumber(nameAndRest(argument)[1]);
    if (number) {
      happen({ type: "refuse", refusal: { code: "bare_number", number } });
      return false;
    }
    if (!asked) {
      happen({ type: "refuse", refusal: { code: "lacks", command: name, usage: COMMANDS.find((one) => one.name === name).usage } });
      return false;
    }
    this.ask(asked.frame, asked.say);
    if (name === "invite") page.order(name, "asked");
    return true;
  }

  /** Ask the server something that it answers by one word; `say` this in the room that is the answer. */
  ask(frame, say) {
    this.#app.happen({ type: "ask", frame, say: say && { text: say, key: newKey() } });
  }

  /** Ask for a link by which another device becomes who one is here. */
  addDevice() {
    const { me, secret } = this.#app.state();
    this.ask({ type: "add_device", user: me, secret });
  }

  /** What follows from an event, beside what the page does from the first. */
  act(effect) {
    if (effect.do === "heard") this.#heard(effect.frame);
    if (effect.do === "become") {
      set("secret", effect.secret);
      set("name", effect.user);
      this.#app.on.enter(effect.user);
    }
  }

  /** Whether a key was given here. */
  get hasKey() {
    return Boolean(this.#app.key());
  }

  /** The link by which others come in, with the key, if one is needed. */
  get invitation() {
    return this.link("", { key: this.#app.key() });
  }

  /** A link of this page that lets one in. */
  link(room, tokens) {
    const said = Object.entries(tokens).filter(([, value]) => value).map(([name, value]) => `;${name}=${encodeURIComponent(value)}`);
    return new URL(`#${encodeURIComponent(room)}${said.join("")}`, location.href).href.replace(/#$/, "");
  }

  /** One becomes somebody on another device by this. */
  deviceLink({ token, user }) {
    return this.link("", { key: this.#app.key(), name: user, device: token });
  }

  invitationLink({ room, token }) {
    return this.link(room, { key: this.#app.key(), invite: token });
  }

  /** The key as it was told, or the link that it is in. What is wrong with it, if it is neither: empty, keyless, wrong. */
  open(text) {
    const { happen, unlock } = this.#app;
    const [, hash] = /^\S*?(#\S*)$/.exec(text.trim()) ?? [];
    const place = readPlace(hash ?? "");
    const key = hash ? place.key : text.trim();
    const isLink = place.device || place.invite;
    if (!text.trim()) return "empty";
    if (!key && !isLink && (hash || /^https?:/.test(text.trim()))) return "keyless";
    if (!isLink && !/^[\w.~+-]{16,}$/.test(key)) return "wrong";
    unlock(key);
    happen({ type: "visit", ...place, key });
    return "";
  }

  /** Where a room's history is as a file. */
  historyUrl(name) {
    return new URL(`history.txt?room=${encodeURIComponent(name)}`, this.#app.socket.url.replace("ws", "http")).href;
  }

  /** The same, or, where headers are needed for it, its content: with a key, in a room or a chat that is not for all. */
  async download(name) {
    const url = this.historyUrl(name);
    const key = this.#app.key();
    if (!key && !roomOf(this.#app.state(), name).kind) {
      const isForbidden = await fetch(url, { method: "HEAD" }).then(({ status }) => status === 401 || status === 403, () => false);
      if (!isForbidden) return url;
    }
    const headers = { "Besedka-Secret": get("secret"), ...(key && { Authorization: `Bearer ${key}` }) };
    const answer = await fetch(url, { headers });
    if (!answer.ok) throw new Error(await answer.text());
    return URL.createObjectURL(await answer.blob());
  }

  /** Something is another than it was. */
  changed(state) {
    this.#keeping.keep(state);
    if (here(state).isIn) this.#keepKey();
    const { room, id } = readPlace(location.hash);
    if ((roomName(room) || DEFAULT_ROOM) !== state.current) history.pushState(null, "", placeOf(state.current));
    else if (room && room !== state.current) history.replaceState(null, "", placeOf(state.current, id));
    if (state.hidden !== this.#hidden) this.#hide(state.hidden ?? []);
    if (document.hidden) this.#drawing ||= setTimeout(() => this.#drawInBackground(), BACKGROUND_MS);
    this.#mark(state);
  }

  // A new key takes the place of the old one when it has let one in.
  #keepKey() {
    const { access, key } = this.#app;
    if (!key() || key() !== get(`new${access}`)) return;
    set(access, key());
    set(`new${access}`, "");
  }

  #hide(hidden) {
    for (const name of this.#hidden) if (!hidden.includes(name)) set(`hidden.${name}`, "");
    for (const name of hidden) set(`hidden.${name}`, "1");
    this.#hidden = hidden;
  }

  // Somebody has said something. In a talk of two all that is said is for one.
  #heard(frame) {
    const state = this.#app.state();
    const { notice, peer } = roomOf(state, frame.room);
    if (notice === "none" || (notice === "mentions" && !peer && !mentions(frame.text, state.me))) return;
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
      const room = roomOf(state, name);
      const title = room.peer ? user : `${user}, ${label(room)}`;
      show(title, text, name, () => this.#app.happen({ type: "go", name })).catch(() => {});
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

  // Another tab of this browser has written, or removed, what is kept.
  #elsewhere(key, value) {
    const state = this.#app.state();
    const [, kind, name] = /^besedka\.(\w+)\.([^]*)$/.exec(key) ?? [];
    const one = roomOf(state, name);
    if (key === "besedka.secret" && value && state.secret && value !== state.secret) {
      location.reload(); // one has become somebody else there: so one is here
    } else if (kind === "room" && value && one) {
      const { readTo, epoch, notice } = read(value);
      if (epoch === one.epoch) this.#app.happen({ type: "read", name, readTo });
      if (notice && notice !== one.notice) this.#app.happen({ type: "notice", name, which: notice });
    } else if (kind === "unsent" && !value) {
      const room = Object.values(state.rooms).find(({ outbox }) => outbox.some((one) => one.key === name));
      if (room) this.#app.happen({ type: "discard", name: room.name, key: name });
    }
  }
}
