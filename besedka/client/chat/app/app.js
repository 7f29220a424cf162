// The application around the log: commands, other tabs, the address, notifications, storage.

import { linkTo, readPasted } from "../access_key/links.js";
import { Copies } from "../copies/copies.js";
import { DEFAULT_ROOM, mentions, fragmentOf, readFragment, roomName } from "../protocol.js";
import { inSentence } from "../messages/naming.js";
import { label } from "../room.js";
import { here, roomOf, unreadRooms } from "../state.js";
import { all, get, newKey, read, set } from "../storage.js";
import { COMMANDS, mistypedTime, nameAndRest, read as readCommand, request, unquoted } from "../writing/commands.js";
import { Blocks } from "./blocks.js";
import { Persistence } from "./persistence.js";
import { ReadMarks } from "./read_marks.js";
import { tryName } from "./try_name.js";

const BACKGROUND_MS = 1000; // background tabs have no animation frames
const OTHER_TABS_MS = 1500; // by then another tab has reported messages that it showed
const OFFLINE_MS = 5000; // urgent requests come first
const REQUESTS = new Set(["private", "msg", "invite", "uninvite", "kick", "mute", "unmute", "ban", "unban", "slow", "redact"]);
const VIEWS = { help: "help", who: "people", rooms: "switcher", find: "search" };
/** @type {Map<string, Room["notice"]>} */
const NOTICES = new Map([["on", "mentions"], ["all", "all"], ["off", "none"]]);

const lacks = (name) => ({ code: "lacks", command: name, usage: COMMANDS.find((command) => command.name === name).usage });

export class App {
  /** @type {Parts} */
  #parts;
  #persistence;
  #copies;
  #blocks = new Blocks();
  #readMarks;
  #drawing = 0;
  #notifying = 0;
  #news = new Map(); // a room's name -> its last frame that may notify
  #marked = "0 0";
  #hidden = [];
  #hash = location.hash; // as the state has it
  #commands;

  /**
   * @param {Parts} parts
   * @param {Record<string, Room>} restored the rooms as they were at the login
   */
  constructor(parts, restored) {
    const { dispatch, page, state } = parts;
    this.#parts = parts;
    this.#persistence = new Persistence(restored);
    this.#copies = new Copies(parts);
    this.#readMarks = new ReadMarks(dispatch);
    this.#commands = {
      join: (name) => dispatch({ type: "openRoom", name }),
      leave: () => this.leaveRoom(state().current),
      name: (name) => this.#rename(unquoted(name)),
      goto: (day) => dispatch({ type: "goto", day }),
      bell: (which) => this.#setNotice(which),
      device: () => {
        this.addDevice();
        page.open("device", "requested");
      },
      block: (name) => (name ? this.block(nameAndRest(name)[0], true) : this.#showBlocked(state())),
      unblock: (name) => this.block(nameAndRest(name)[0], false),
      exit: () => this.leave(),
    };
    document.addEventListener("visibilitychange", () => this.#look());
    for (const event of ["focus", "blur", "pageshow"]) addEventListener(event, () => this.#look());
    addEventListener("online", () => parts.socket.wake());
    // Behind the listener that dispatches it.
    addEventListener("hashchange", () => {
      this.#hash = location.hash;
      this.#keepAddress(state());
    });
    addEventListener("storage", ({ key, newValue }) => this.#storedElsewhere(key ?? "", newValue));
    const isPossible = isSecureContext && "Notification" in globalThis;
    const permission = isPossible ? Notification.permission : "impossible";
    this.#hidden = all("hidden").map(([name]) => name);
    dispatch({ type: "setPreferences", permission, sound: Boolean(get("sound")), hidden: this.#hidden });
    this.#look();
    this.#copies.follow(state());
    setTimeout(() => import("./offline.js").catch(() => {}), OFFLINE_MS); // the next visit tries again
  }

  /** Runs a typed command. False: it is not a command, and stays in the box. */
  command(text) {
    const { say, command, mistake } = readCommand(text);
    if (say) return this.#parts.say(say);
    if (mistake) this.#parts.dispatch({ type: "showRefusal", refusal: mistake });
    else if (this.#commands[command.name]) this.#commands[command.name](command.argument);
    else if (REQUESTS.has(command.name)) return this.#request(command);
    else this.#parts.page.open(VIEWS[command.name], command.argument);
    return !mistake;
  }

  #request({ name, argument }) {
    const { dispatch, page, state } = this.#parts;
    const asked = request(name, argument, state().current);
    const given = /^(mute|ban)$/.test(name) && mistypedTime(nameAndRest(argument)[1]);
    if (given) {
      dispatch({ type: "showRefusal", refusal: { code: "bad_time", given } });
      return false;
    }
    if (!asked) {
      dispatch({ type: "showRefusal", refusal: lacks(name) });
      return false;
    }
    if (!this.request(asked.frame, asked.say)) return false;
    if (name === "invite") page.open("invite", "requested");
    return true;
  }

  /** Sends a request, unless it is a ban that the user did not mean: false. `say` is posted in the room that the response opens. */
  request(frame, say) {
    const { person, quotes } = this.#parts.strings;
    if (frame.act === "ban" && !confirm(person.banSure(inSentence(frame.user, quotes)))) return false;
    this.#parts.dispatch({ type: "request", frame, say: say && { text: say, key: newKey() } });
    return true;
  }

  /** Takes no direct messages from a person any more, or takes them again. */
  block(user, isOn) {
    this.request({ type: isOn ? "block" : "unblock", user });
    // It says which room that is.
    this.#parts.dispatch({ type: "listRooms" });
  }

  #showBlocked({ blocked = [] }) {
    const { strings, dispatch } = this.#parts;
    dispatch({ type: "toast", toast: { text: strings.blocked(blocked.map((name) => inSentence(name, strings.quotes))) } });
  }

  /** Requests an add-a-device link. */
  addDevice() {
    const { me, secret } = this.#parts.state();
    this.request({ type: "add_device", user: me, secret });
  }

  /** Back to the login, until the user joins again. */
  leave() {
    set("isOut", "1");
    this.#parts.dispatch({ type: "logOut" });
  }

  /** Shows the end of the log, which a link to one of its messages does not lead to. */
  toLatest() {
    this.#parts.dispatch({ type: "jump", id: 0 });
    const { room, id } = readFragment(location.hash);
    if (id) history.replaceState(null, "", fragmentOf(room));
    this.#hash = location.hash;
  }

  /** Leaves a room, unless it is the only one, or has unsent messages and the user declines. */
  leaveRoom(name) {
    const { dispatch, strings, actions, state } = this.#parts;
    const { rooms } = state();
    const { length } = rooms[name].outbox;
    if (Object.keys(rooms).length < 2) dispatch({ type: "showRefusal", refusal: { code: "last_room" } });
    else if (!length || confirm(strings.leaveUnsent(length))) dispatch({ type: "leaveRoom", name, undo: { draft: actions.draft(name) } });
  }

  // A name that was mistyped must not make a room.
  #askForRoom(name) {
    const { dispatch, strings } = this.#parts;
    if (confirm(strings.newRoomSure(name))) dispatch({ type: "openRoom", name, isMeant: true });
    else dispatch({ type: "leaveRoom", name, refusal: { code: "no_such_room" } });
  }

  /** Performs the effects that need the features. */
  perform(effect) {
    if (effect.do === "received") this.#received(effect.frame);
    if (effect.do === "renewCopy") this.#copies.renew(effect.name);
    if (effect.do === "askForRoom") this.#askForRoom(effect.name);
    if (effect.do === "keepDraft") this.#parts.actions.keepDraft(effect.name, effect.text);
    if (effect.do === "become") {
      set("secret", effect.secret);
      set("name", effect.user);
      this.#parts.actions.logIn(effect.user);
    }
  }

  /** Whether this browser has an access key. */
  get hasKey() {
    return Boolean(this.#parts.access.key());
  }

  /** The link to this chat, with the key if one is needed. */
  get chatLink() {
    return this.#link("", {});
  }

  /** The link to a room, or to a message in it. */
  roomLink(room, id) {
    return new URL(fragmentOf(room, id), location.href).href;
  }

  /** Connects at once. */
  wake() {
    this.#parts.socket.wake();
  }

  deviceLink({ token, user }) {
    return this.#link("", { name: user, device: token });
  }

  invitationLink({ room, token }) {
    return this.#link(room, { invite: token });
  }

  #link(room, tokens) {
    return linkTo(location.href, room, { key: this.#parts.access.key(), ...tokens });
  }

  /** Opens a pasted link or key. Returns a mistake, if there is one. */
  open(text) {
    const { fragment, mistake = "" } = readPasted(text);
    if (!fragment) return mistake;
    this.#parts.access.keepKey(fragment.key);
    this.#parts.dispatch({ type: "navigate", ...fragment });
    return "";
  }

  /** The URL of a room's history as a file. */
  historyUrl(name) {
    return new URL(`history.txt?room=${encodeURIComponent(name)}`, this.#parts.socket.url.replace("ws", "http")).href;
  }

  /** The same URL; or the content, where the request needs headers: with an access key, or for a room that is not open. */
  async download(name) {
    const url = this.historyUrl(name);
    const key = this.#parts.access.key();
    if (!key && !roomOf(this.#parts.state(), name).kind) {
      const isForbidden = await fetch(url, { method: "HEAD" }).then(({ status }) => status === 401 || status === 403, () => false);
      if (!isForbidden) return url;
    }
    const headers = { "Besedka-Secret": get("secret"), ...(key && { Authorization: `Bearer ${key}` }) };
    const answer = await fetch(url, { headers });
    if (!answer.ok) throw new Error(await answer.text());
    return URL.createObjectURL(await answer.blob());
  }

  /** Follows the state: storage, the address, the icon. */
  changed(state) {
    this.#persistence.keep(state);
    this.#copies.follow(state);
    this.#readMarks.changed(state);
    if (here(state).isJoined) this.#keepKey();
    this.#keepAddress(state);
    if (state.hidden !== this.#hidden) this.#hide(state.hidden ?? []);
    if (document.hidden) this.#drawing ||= setTimeout(() => this.#drawInBackground(), BACKGROUND_MS);
    this.#mark(state);
    for (const name of this.#blocks.ended(state)) this.#parts.dispatch({ type: "leaveRoom", name });
  }

  #keepAddress({ current, rooms }) {
    if (location.hash !== this.#hash) return; // the user has gone elsewhere, and the event comes next
    const { room, id } = readFragment(location.hash);
    const name = roomName(room) || DEFAULT_ROOM;
    // Back shall not lead to a room that was refused.
    if (name !== current) history[Object.hasOwn(rooms, name) ? "pushState" : "replaceState"](null, "", fragmentOf(current));
    else if (room && room !== current) history.replaceState(null, "", fragmentOf(current, id));
    this.#hash = location.hash;
  }

  #setNotice(which) {
    const { dispatch, strings, state } = this.#parts;
    const notice = which ? NOTICES.get(which) : here(state()).notice;
    if (!notice) return dispatch({ type: "showRefusal", refusal: lacks("bell") });
    dispatch({ type: "setNotice", notice });
    dispatch({ type: "toast", toast: { text: `${strings.notices}: ${strings.noticeKinds[notice]}` } });
  }

  // A refused name changes nothing: the user stays in under the old one.
  async #rename(name) {
    const { dispatch, actions, socket, access, state } = this.#parts;
    if (name === state().me) return;
    const refusal = await tryName(socket.url, socket.protocols(access.key()), name, get("secret"));
    if (refusal) return dispatch({ type: "showRefusal", refusal });
    // What waits under the old name stays its own.
    if (!Object.values(state().rooms).some(({ outbox }) => outbox.length)) return dispatch({ type: "rename", to: name });
    dispatch({ type: "logOut" });
    actions.resume(name);
  }

  // A new key replaces the old one once it is accepted.
  #keepKey() {
    const { keyEntry, newKeyEntry, key } = this.#parts.access;
    if (!key() || key() !== get(newKeyEntry)) return;
    set(keyEntry, key());
    set(newKeyEntry, "");
  }

  #hide(hidden) {
    for (const name of this.#hidden) if (!hidden.includes(name)) set(`hidden.${name}`, "");
    for (const name of hidden) set(`hidden.${name}`, "1");
    this.#hidden = hidden;
  }

  // In a direct room every message counts as a mention.
  #received(frame) {
    const state = this.#parts.state();
    const { notice, peer } = roomOf(state, frame.room);
    if (notice === "none" || (notice === "mentions" && !peer && !mentions(frame.text, state.me))) return;
    this.#news.set(frame.room, frame);
    this.#notifying ||= setTimeout(() => this.#notify().catch(() => {}), OTHER_TABS_MS);
  }

  /** Call it from a click: browsers do not ask otherwise. */
  async askToNotify() {
    if (this.#parts.state().permission === "impossible") return;
    this.#parts.dispatch({ type: "setPreferences", permission: await Notification.requestPermission() });
  }

  setSound(sound) {
    set("sound", sound ? "on" : "");
    this.#parts.dispatch({ type: "setPreferences", sound });
  }

  // One notification for each room, however many messages arrived; none for messages read meanwhile.
  async #notify() {
    const state = this.#parts.state();
    const { current, isFocused, permission, sound } = state;
    const isUnread = ({ room, id }) => id > roomOf(state, room)?.readTo && !(isFocused && room === current);
    const news = [...this.#news.values()].filter(isUnread);
    this.#news.clear();
    this.#notifying = 0;
    if (!news.length) return;
    const { show, beep } = await import("./notifications.js");
    if (sound) beep();
    if (permission !== "granted") return;
    for (const { room: name, user, text, unverified } of news) {
      const room = roomOf(state, name);
      const { quotes, unverifiedShort } = this.#parts.strings;
      const author = `${inSentence(user, quotes)}${unverified ? ` (${unverifiedShort})` : ""}`;
      const title = room.peer ? author : `${author}, ${label(room)}`;
      show(title, text, name, () => this.#parts.dispatch({ type: "openRoom", name })).catch(() => {});
    }
  }

  #drawInBackground() {
    this.#drawing = 0;
    this.#parts.page.draw(this.#parts.state());
  }

  // The icon shows that something is unread, and whether it mentions this user.
  #mark(state) {
    const rooms = state.scene === "chat" ? unreadRooms(state) : [];
    const mentioned = rooms.reduce((sum, room) => sum + room.mentions, 0);
    const marks = `${Math.min(rooms.length, 1)} ${mentioned}`;
    if (marks === this.#marked) return;
    this.#marked = marks;
    import("./notifications.js").then(({ mark }) => marks === this.#marked && mark(rooms.length, mentioned)).catch(() => {});
  }

  #look() {
    const isFocused = !document.hidden && document.hasFocus();
    if (isFocused) this.#parts.socket.wake();
    if (isFocused !== this.#parts.state().isFocused) this.#parts.dispatch({ type: "focus", isFocused });
  }

  // Another tab wrote or removed an entry.
  #storedElsewhere(key, value) {
    const state = this.#parts.state();
    const { dispatch } = this.#parts;
    const [, kind, name] = /^besedka\.(\w+)\.([^]*)$/.exec(key) ?? [];
    const room = roomOf(state, name);
    if (key === "besedka.secret" && value && state.secret && value !== state.secret) {
      location.reload(); // another person uses this browser now
    } else if (kind === "room" && value && room) {
      const { readTo, rewinds, epoch, notice } = read(value);
      if (epoch === room.epoch) dispatch({ type: "read", name, readTo, rewinds });
      if (notice && notice !== room.notice) dispatch({ type: "setNotice", name, notice });
    } else if (kind === "unsent" && !value) {
      const holder = Object.values(state.rooms).find(({ outbox }) => outbox.some(({ key }) => key === name));
      if (holder) dispatch({ type: "discard", name: holder.name, key: name });
    }
  }
}
