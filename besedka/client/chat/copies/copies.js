// Keeps the copies of open rooms as the rooms change, drops those that must not stay, and shows them while the server cannot be reached.

import { get } from "../storage.js";
import { copyOf, needsProof } from "./state.js";
import { CopyStore } from "./store.js";

const LATER_MS = 3000; // the least interval of writes that messages cause
const SLOW_MS = 3000; // without a welcome for so long, the copies are shown, too

export class Copies {
  #dispatch;
  #store = new CopyStore(new URL(".", location.href).pathname);
  /** @type {Pick<State, "scene" | "rooms">} */
  #before;
  #state;
  #changed = new Set(); // rooms to copy
  #timer = 0;
  #isShown = false;

  /** @param {Pick<Parts, "dispatch" | "state">} parts */
  constructor({ dispatch, state }) {
    this.#dispatch = dispatch;
    this.#before = { scene: state().scene, rooms: {} };
    this.#state = state;
    document.addEventListener("visibilitychange", () => document.hidden && this.#write());
    addEventListener("pagehide", () => this.#write());
    setTimeout(() => this.#show(), SLOW_MS);
  }

  /** @param {State} state */
  follow(state) {
    const { scene, rooms } = this.#before;
    this.#before = state;
    if (state.scene !== "chat") return scene === "chat" && this.#forget();
    if (rooms !== state.rooms) this.#compare(rooms, state.rooms);
    // Between two addresses of the chat there is no wait.
    if (state.connection === "away" && state.retryAt > state.awaySince) this.#show();
  }

  /** Replaces the copy of a room at once, by none if there is none to be had. @param {string} name */
  renew(name) {
    this.#store.remove(this.#state().me, [name]);
    this.#changed.add(name);
    this.#write();
  }

  // All copies: the user has left, was disconnected for good, or is somebody else now.
  #forget() {
    this.#changed.clear();
    this.#store.clear();
  }

  /** @param {Record<string, Room>} before @param {Record<string, Room>} after */
  #compare(before, after) {
    const gone = [];
    for (const name of Object.keys({ ...before, ...after })) {
      const [was, is] = [before, after].map((rooms) => (Object.hasOwn(rooms, name) ? rooms[name] : undefined));
      if (was === is) continue;
      // With a welcome the log may be another one, and messages may have been redacted.
      const isWelcomed = is?.isJoined && !was?.isJoined;
      const isUnproven = is?.provenFrom > (was?.provenFrom ?? 0);
      if (!is || isWelcomed || isUnproven || (is.kind && !was?.kind)) gone.push(name);
      if (is && (is.rows !== was?.rows || is.provenFrom !== was.provenFrom)) this.#changed.add(name);
    }
    if (gone.length) this.#store.remove(this.#state().me, gone);
    if (this.#changed.size) this.#timer ||= setTimeout(() => this.#write(), LATER_MS);
  }

  #write() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { scene, rooms, me } = this.#state();
    const changed = scene === "chat" ? [...this.#changed].filter((name) => Object.hasOwn(rooms, name)) : [];
    // One after the other: after a reconnect there are many.
    const [unproven, ...later] = changed.filter((name) => needsProof(rooms[name]));
    this.#changed = new Set(later);
    if (later.length) this.#timer = setTimeout(() => this.#write(), LATER_MS);
    const copies = changed.map((name) => copyOf(rooms[name])).filter(Boolean);
    // Whoever has left in another tab leaves nothing behind.
    if (copies.length && !get("isOut")) this.#store.put(me, copies.map((copy) => ({ ...copy, user: me, at: Date.now() })));
    if (unproven) this.#dispatch({ type: "proveRows", name: unproven });
  }

  // Once: later the rooms have rows of their own.
  async #show() {
    const { scene, busy, me } = this.#state();
    if (this.#isShown || scene !== "chat" || !busy) return;
    this.#isShown = true;
    const copies = await this.#store.read(me);
    const now = this.#state();
    if (copies.length && now.scene === "chat" && now.me === me) this.#dispatch({ type: "showCopies", copies });
  }
}
