// What the browser stores: several tabs, and no storage.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Persistence } from "../../besedka/client/chat/app/persistence.js";
import { newRoom } from "../../besedka/client/chat/room.js";
import { all, get, read, secret, set, unsent } from "../../besedka/client/chat/storage.js";
import { Clock } from "./clock.mjs";

class FakeStorage {
  constructor(isFull = false) {
    Object.defineProperty(this, "isFull", { value: isFull, enumerable: false });
  }

  getItem(key) {
    return this[key] ?? null;
  }

  setItem(key, value) {
    if (this.isFull) throw new Error("quota");
    this[key] = value;
  }

  removeItem(key) {
    if (this.isFull) throw new Error("quota");
    delete this[key];
  }
}

let clock;
let hide;

beforeEach(() => {
  globalThis.localStorage = new FakeStorage();
  globalThis.addEventListener = (type, listener) => (hide = listener);
  clock = new Clock().start();
});

afterEach(() => clock.stop());

const chat = (rooms, me = "Anna") => ({ scene: "chat", rooms, me });
const room = (outbox, more = {}) => ({ ...newRoom("main", { readTo: 1, epoch: "e" }), outbox, ...more });
const waits = (...keys) => keys.map((key) => ({ key, text: `text ${key}`, after: 3, sent: true }));
const keys = (name = "Anna") => unsent(name).map(({ key }) => key);

test("a stored value is found, an empty one removes the entry", () => {
  set("name", "Anna");
  assert.deepEqual([get("name"), localStorage["besedka.name"]], ["Anna", "Anna"]);
  set("name", "");
  assert.deepEqual([get("name"), Object.keys(localStorage)], ["", []]);
});

for (const [name, storage] of Object.entries({ full: () => new FakeStorage(true), forbidden: () => undefined })) {
  test(`where storage is ${name}, memory serves the visit`, () => {
    globalThis.localStorage = storage();
    set("name", "Anna");
    set("room.dev", '{"readTo":1}');
    set("room.gone", "");
    assert.deepEqual([get("name"), all("room"), secret().length, secret() === secret()], ["Anna", [["dev", { readTo: 1 }]], 64, true]);
    for (const key of ["name", "room.dev"]) set(key, "");
  });
}

test("a damaged entry counts as none", () => {
  for (const value of ["", "{", "null", "undefined"]) assert.deepEqual(read(value), {});
  localStorage["besedka.unsent.k"] = "5";
  assert.deepEqual(keys(), []);
});

test("every message of the outbox is an entry, in order", () => {
  const persistence = new Persistence();
  persistence.keep(chat({ main: room(waits("k3", "k1", "k2")), dev: { ...room(waits("d1")), name: "dev" } }));
  assert.deepEqual(keys(), ["k3", "k1", "k2", "d1"]);
  assert.deepEqual(keys("Boris"), []);
  const [{ room: name, text, after }] = unsent("Anna");
  assert.deepEqual([name, text, after], ["main", "text k3", 3]);
  persistence.keep(chat({ main: room(waits("k2")), dev: room(waits("d1")) }));
  assert.deepEqual(keys(), ["k2", "d1"]);
});

test("an updated entry keeps its place in the order", () => {
  const persistence = new Persistence();
  const [one, two] = waits("k1", "k2");
  persistence.keep(chat({ main: room([one, two]) }));
  persistence.keep(chat({ main: room([{ ...one, after: 9 }, two]) }));
  assert.deepEqual(unsent("Anna").map(({ key, after }) => [key, after]), [["k1", 9], ["k2", 3]]);
});

test("two tabs add and remove entries independently", () => {
  const [one, two] = [new Persistence(), new Persistence()];
  one.keep(chat({ main: room(waits("k1")) }));
  two.keep(chat({ main: room(waits("k2")) }));
  one.keep(chat({ main: room([]) }));
  assert.deepEqual(keys(), ["k2"]);
});

test("logging out keeps the outbox, leaving a room removes it", () => {
  const persistence = new Persistence();
  persistence.keep(chat({ main: room(waits("k1")), dev: room(waits("k2")) }));
  set("draft.dev", "half a word");
  persistence.keep(chat({ main: room(waits("k1")) }));
  assert.deepEqual([keys(), get("draft.dev")], [["k1"], ""]);
  persistence.keep({ scene: "login", rooms: { main: room([]) }, me: "Anna" });
  persistence.keep(chat({ main: room([]) }, "Boris"));
  assert.deepEqual(keys(), ["k1"]);
});

test("messages delivered before the features were loaded are removed from storage", () => {
  new Persistence().keep(chat({ main: room(waits("k1", "k2")) }));
  const taken = { main: room(waits("k1", "k2")) };
  new Persistence(taken).keep(chat({ main: room(waits("k2")) }));
  assert.deepEqual(keys(), ["k2"]);
});

test("read positions are written at intervals, and before the page is hidden", () => {
  const persistence = new Persistence();
  for (let readTo = 1; readTo < 100; readTo += 1) persistence.keep(chat({ main: room([], { readTo }) }));
  assert.equal(get("room.main"), "");
  clock.tick(500);
  assert.deepEqual(all("room"), [["main", { readTo: 99, epoch: "e", notice: "mentions" }]]);
  persistence.keep(chat({ main: room([], { readTo: 100 }) }));
  hide();
  assert.equal(all("room")[0][1].readTo, 100);
});

test("a room that was never joined is not stored", () => {
  new Persistence().keep(chat({ main: newRoom("main") }));
  clock.tick(500);
  assert.deepEqual(all("room"), []);
});
