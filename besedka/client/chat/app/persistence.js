// Stores read positions and the outbox as they change: room.js keeps the outbox and sends it, ../storage.js has the entries.

import { mapValues } from "../state.js";
import { get, read, set } from "../storage.js";

const LATER_MS = 500; // the least interval of writes that each message causes

export class Persistence {
  #kept;
  #stored = new Map(); // a room's name -> its entry
  #read = new Map(); // those to write
  #timer = 0;
  #count = 0;

  /** @param restored the rooms with their outboxes as stored; what else is stored of them may be older, or nothing */
  constructor(restored = {}) {
    this.#kept = mapValues(restored, ({ outbox }) => ({ outbox }));
    addEventListener("pagehide", () => this.#write());
  }

  /** Stores the rooms as they are now, while the user is in: logging out discards nothing. */
  keep({ scene, rooms, me }) {
    if (scene !== "chat") this.#kept = {};
    else {
      for (const name of Object.keys({ ...this.#kept, ...rooms })) this.#room(name, this.#kept[name], rooms[name], me);
      this.#kept = rooms;
    }
  }

  #room(name, was, is, me) {
    if (was === is) return;
    if (!is) {
      this.#read.delete(name);
      this.#stored.delete(name);
      set(`room.${name}`, "");
      set(`draft.${name}`, "");
    } else if (is.readTo >= 0) this.#readLater(name, lasting(is));
    this.#unsent(was?.outbox ?? [], is?.outbox ?? [], { room: name, user: me });
  }

  #readLater(name, entry) {
    if ((this.#stored.get(name) ?? get(`room.${name}`)) === entry) return;
    this.#stored.set(name, entry);
    this.#read.set(name, entry);
    this.#timer ||= setTimeout(() => this.#write(), LATER_MS);
  }

  #write() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const [name, value] of this.#read) set(`room.${name}`, value);
    this.#read.clear();
  }

  // An entry for each message: tabs add and remove them independently.
  #unsent(before, after, about) {
    if (before === after) return;
    const had = new Map(before.map((message) => [message.key, message]));
    for (const { key, text, after: seen } of after) {
      const entry = `unsent.${key}`;
      if (had.get(key)?.after !== seen) set(entry, JSON.stringify({ at: this.#now(), ...read(get(entry)), ...about, text, after: seen }));
      had.delete(key);
    }
    for (const key of had.keys()) set(`unsent.${key}`, "");
  }

  // Ordered also within a millisecond: a number of this size has four digits left.
  #now() {
    this.#count += 1;
    return Date.now() + this.#count / 1000;
  }
}

function lasting({ readTo, rewinds, markedId, epoch, notice, kind, peer }) {
  return JSON.stringify({ readTo, ...(rewinds && { rewinds, markedId }), epoch, notice, kind, peer });
}
