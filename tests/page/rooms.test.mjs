// Many rooms: opening and leaving them, unread messages, the unread line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { unread } from "../../besedka/client/chat/room.js";
import { unreadRooms } from "../../besedka/client/chat/state.js";
import { Visit } from "./visit.mjs";

const go = (visit, name) => visit.happen({ type: "openRoom", name });
const joined = (visit) => visit.sent("join").map(({ room }) => room);

test("opening a room joins it under its normalized name", () => {
  const visit = go(new Visit().comeIn(), " Dev ");
  assert.deepEqual([visit.state.current, joined(visit)], ["dev", ["main", "dev"]]);
  visit.welcome({ head: 4 });
  go(visit, "main");
  go(visit, "dev");
  assert.deepEqual(joined(visit), ["main", "dev"], "one is in it already");
});

test("an impossible room name is refused, and the current room stays", () => {
  const visit = go(new Visit().comeIn(), "a b");
  assert.deepEqual([visit.state.current, visit.room.refusal.code, joined(visit)], ["main", "bad_room", ["main"]]);
});

test("no more than 100 rooms are joined", () => {
  const visit = new Visit().comeIn();
  for (let number = 1; number < 120; number += 1) go(visit, `r${number}`);
  assert.equal(Object.keys(visit.state.rooms).length, 100);
  assert.equal(visit.room.refusal.code, "too_many_rooms");
});

test("a room that cannot be joined is dropped, and the former one is shown", () => {
  const visit = go(new Visit().comeIn(), "dev").tell({ type: "error", code: "room_unavailable", text: "no" });
  assert.deepEqual([visit.state.current, visit.room.refusal.code, Object.keys(visit.state.rooms)], ["main", "room_unavailable", ["main"]]);
});

test("the rooms of earlier visits are joined again, the current one first", () => {
  const rooms = { dev: { readTo: 5, epoch: "e", notice: "all" }, main: { readTo: 7, epoch: "e", notice: "mentions" } };
  const visit = new Visit({ room: "dev", name: "Anna", rooms }).enter().happen({ type: "connected" });
  assert.deepEqual(joined(visit), ["dev"]);
  visit.welcome({ head: 9 });
  assert.deepEqual(joined(visit), ["dev", "main"]);
  visit.welcome({ room: "main", head: 7 });
  assert.deepEqual([unread(visit.state.rooms.dev), unread(visit.state.rooms.main), visit.room.notice], [4, 0, "all"]);
  assert.deepEqual(unreadRooms(visit.state).map(({ name }) => name), ["dev"]);
});

test("after a reconnect all rooms are joined with their cursors", () => {
  const visit = go(new Visit().comeIn({ head: 3 }).history(1, 3), "dev").welcome({ head: 8 }).history(1, 8);
  visit.lose().happen({ type: "connected" });
  assert.deepEqual(visit.sent("join").slice(-2).map(({ room, since }) => [room, since]), [["dev", 8], ["main", 3]]);
});

test("a name taken meanwhile leads to the login, and no room is lost", () => {
  const visit = go(new Visit().comeIn(), "dev").welcome().lose().happen({ type: "connected" });
  for (const room of ["dev", "main"]) visit.tell({ type: "error", code: "name_taken", text: "", room });
  assert.deepEqual([visit.state.scene, Object.keys(visit.state.rooms)], ["login", ["main", "dev"]]);
  visit.enter("Hanna").welcome().welcome({ room: "main" });
  assert.deepEqual(joined(visit).slice(-2), ["dev", "main"]);
});

test("a room is left, but not the last one", () => {
  const visit = go(new Visit().comeIn(), "dev").welcome().happen({ type: "leaveRoom", name: "dev" });
  assert.deepEqual([visit.state.current, visit.sent("leave")], ["main", [{ type: "leave", room: "dev" }]]);
  visit.happen({ type: "leaveRoom", name: "main" }).chat(1, "late", { room: "dev" });
  assert.deepEqual(Object.keys(visit.state.rooms), ["main"]);
});

test("logging out keeps the read positions", () => {
  const visit = go(new Visit().comeIn({ head: 3 }), "dev").welcome({ head: 8 }).happen({ type: "logOut" });
  assert.deepEqual([visit.state.scene, visit.state.me, visit.state.current], ["login", "Anna", "dev"]);
  assert.deepEqual(visit.effects.at(-1), { do: "disconnect" });
  assert.deepEqual(Object.values(visit.state.rooms).map(({ name, readTo }) => [name, readTo]), [["main", 3], ["dev", 8]]);
});

test("the first visit to a room finds nothing unread", () => {
  const visit = new Visit().comeIn({ head: 100 }).history(91, 100);
  assert.deepEqual([unread(visit.room), visit.room.unreadFrom, visit.room.mentions], [0, -1, 0]);
});

test("messages of other rooms are unread, and mentions are counted", () => {
  const visit = go(new Visit().comeIn(), "dev").welcome();
  visit.chat(1, "hello", { room: "main" }).chat(2, "hello, anna!", { room: "main" });
  visit.chat(3, "Anna", { room: "main", user: "Anna" });
  const { main } = visit.state.rooms;
  assert.deepEqual([unread(main), main.mentions, main.rows.map(({ mentioned }) => mentioned)], [3, 1, [false, true, false]]);
});

test("unread mentions in missed messages are counted", () => {
  const rooms = { main: { readTo: 2, epoch: "e", notice: "mentions" } };
  const visit = new Visit({ name: "Anna", rooms }).comeIn({ head: 3 });
  visit.tell({ type: "history", first: 2, messages: ["[2025-01-01 10:00:00] B: Anna", "[2025-01-01 10:00:00] B: Anna?"] });
  assert.deepEqual([unread(visit.room), visit.room.mentions, visit.room.unreadFrom], [1, 1, 2]);
});

test("the unread line stays until the room is left and opened again", () => {
  const visit = go(new Visit().comeIn({ head: 5 }), "dev").welcome();
  visit.chat(6, "a", { room: "main" }).chat(7, "b", { room: "main" });
  go(visit, "main");
  assert.equal(visit.room.unreadFrom, 5);
  visit.happen({ type: "seen" }).chat(8).happen({ type: "seen" });
  assert.deepEqual([visit.room.unreadFrom, unread(visit.room)], [5, 0]);
  go(visit, "dev");
  go(visit, "main");
  assert.equal(visit.room.unreadFrom, -1, "nothing is new");
  visit.chat(9).happen({ type: "seen" });
  assert.equal(visit.room.unreadFrom, -1, "what one sees come needs no line");
});

test("messages received without focus are unread until the focus returns", () => {
  const visit = new Visit().comeIn({ head: 5 }).happen({ type: "focus", isFocused: false }).chat(6, "Anna!").happen({ type: "seen" });
  assert.deepEqual([unread(visit.room), visit.room.mentions], [1, 1]);
  visit.happen({ type: "focus", isFocused: true });
  assert.equal(visit.room.unreadFrom, 5);
  visit.happen({ type: "seen" });
  assert.deepEqual([unread(visit.room), visit.room.mentions, visit.room.unreadFrom], [0, 0, 5]);
});

test("messages missed during a disconnect are unread", () => {
  const visit = new Visit().comeIn({ head: 5 }).happen({ type: "seen" }).lose().happen({ type: "connected" }).welcome({ head: 8 }).history(6, 8);
  assert.deepEqual([visit.room.unreadFrom, unread(visit.room)], [5, 3]);
});

test("posting counts as reading", () => {
  const visit = new Visit().comeIn({ head: 5 }).say("k").chat(6, "k", { user: "Anna", key: "k" });
  assert.deepEqual([unread(visit.room), visit.room.readTo], [0, 6]);
});

test("read positions of other tabs apply", () => {
  const visit = new Visit().comeIn({ head: 5 }).happen({ type: "focus", isFocused: false }).chat(6, "Anna").chat(7);
  visit.happen({ type: "read", name: "main", readTo: 6 });
  assert.deepEqual([unread(visit.room), visit.room.mentions], [1, 0], "it was the one that was read that mentions her");
  visit.happen({ type: "read", name: "main", readTo: 7 }).happen({ type: "read", name: "main", readTo: 3 });
  assert.deepEqual([visit.room.readTo, visit.room.mentions], [7, 0]);
});

test("a message that is marked as unread stays so, whatever is on the screen, until the user posts, asks for the end, or comes back", () => {
  const marked = () => {
    const visit = new Visit().comeIn().chat(1).chat(2, "Anna!").chat(3, "mine", { user: "Anna" }).chat(4, "Anna?").happen({ type: "seen" });
    return visit.happen({ type: "markUnread", id: 2 }).happen({ type: "seen" });
  };
  const visit = marked();
  assert.deepEqual([visit.room.readTo, visit.room.unreadFrom, unread(visit.room), visit.room.mentions], [1, 1, 3, 2]);
  visit.happen({ type: "focus", isFocused: false }).happen({ type: "focus", isFocused: true }).happen({ type: "seen" });
  assert.equal(unread(visit.room), 3, "a window that gets the focus is not a room that is opened");
  visit.happen({ type: "markUnread", id: 4 });
  assert.deepEqual([unread(visit.room), visit.room.mentions], [1, 1]);
  for (const again of [
    (one) => one.say("k"),
    (one) => one.happen({ type: "jump", id: 0 }),
    (one) => go(go(one, "dev"), "main"),
  ]) {
    const one = marked();
    again(one);
    assert.deepEqual([unread(one.room), unread(one.happen({ type: "seen" }).room), one.room.mentions], [3, 0, 0]);
  }
});

test("of two tabs' read positions that counts which was marked as unread more often", () => {
  const rooms = { main: { readTo: 4, rewinds: 2, markedId: 3, epoch: "e" } };
  const visit = new Visit({ name: "Anna", rooms }).comeIn({ head: 4 }).history(1, 4);
  const read = (readTo, rewinds) => visit.happen({ type: "read", name: "main", readTo, rewinds }).happen({ type: "seen" }).room.readTo;
  assert.equal(read(2, 3), 2, "it follows, and does not read on by itself");
  assert.equal(read(4, 2), 2, "from before");
  assert.equal(read(1, 3), 2);
  assert.equal(read(3, 3), 4, "there reading goes on, so it does here");
  assert.deepEqual([visit.room.markedId, visit.room.rewinds], [3, 3]);
  const later = visit.happen({ type: "logOut" }).comeIn({ head: 4 });
  assert.deepEqual([later.room.markedId, later.room.rewinds], [3, 3], "another login continues");
});

test("read positions of another epoch are dropped", () => {
  const rooms = { main: { readTo: 50, epoch: "old", notice: "none" } };
  const visit = new Visit({ name: "Anna", rooms }).comeIn({ head: 60, epoch: "new" });
  assert.deepEqual([unread(visit.room), visit.room.notice], [0, "none"]);
  assert.equal(unread(new Visit({ name: "Anna", rooms }).comeIn({ head: 60, epoch: "old" }).room), 10);
});

test("the notification level belongs to a room, and others' messages are reported as received", () => {
  const visit = new Visit().comeIn().happen({ type: "setNotice", name: "main", notice: "all" }).chat(1, "hello").chat(2, "me", { user: "Anna" });
  assert.equal(visit.room.notice, "all");
  assert.deepEqual(visit.effects.filter((effect) => effect.do === "received").map(({ frame }) => frame.id), [1]);
});

test("the rooms of the server are listed", () => {
  const listed = [{ name: "dev", clients_count: 2 }, { name: "main", clients_count: 1 }];
  const visit = new Visit().comeIn().happen({ type: "listRooms" }).tell({ type: "rooms", rooms: listed });
  assert.deepEqual([visit.sent().at(-1), visit.state.listed], [{ type: "rooms", watch: true }, listed]);
});

test("a new room is listed when the server tells of it, once", () => {
  const listed = [{ name: "main", clients_count: 1 }];
  const visit = new Visit().comeIn().happen({ type: "listRooms" }).tell({ type: "rooms", rooms: listed });
  const sent = visit.sent().length;
  visit.tell({ type: "place", room: "dev", kind: "open" }).tell({ type: "place", room: "dev", kind: "open" });
  visit.tell({ type: "place", room: "main", kind: "open" });
  assert.deepEqual(visit.state.listed, [...listed, { name: "dev", clients_count: 1 }]);
  assert.deepEqual([Object.keys(visit.state.rooms), visit.sent().length], [["main"], sent]);
});

test("the list of rooms goes on by pages, each requested once", () => {
  const [one, two, three, four] = ["a", "b", "c", "d"].map((name) => ({ name, clients_count: 0 }));
  const names = () => visit.state.listed.map(({ name }) => name);
  const more = () => visit.happen({ type: "listRooms", more: true });
  const visit = new Visit().comeIn().happen({ type: "listRooms" });
  more();
  assert.equal(visit.sent("rooms").length, 1, "the first page is not here yet");
  visit.tell({ type: "rooms", rooms: [one, two], next: "b" });
  more();
  more();
  assert.deepEqual(visit.sent("rooms").slice(1), [{ type: "rooms", after: "b", key: "more" }]);
  visit.tell({ type: "rooms", rooms: [three], key: "more", next: "c" });
  assert.deepEqual(names(), ["a", "b", "c"]);
  more().tell({ type: "rooms", rooms: [four], key: "more" });
  assert.deepEqual(names(), ["a", "b", "c", "d"]);
  more();
  assert.equal(visit.sent("rooms").length, 3, "that was the last page");
  visit.happen({ type: "listRooms" }).tell({ type: "rooms", rooms: [one], next: "a" });
  assert.deepEqual(names(), ["a"]);
});

test("a list without an end is not read to it", () => {
  const visit = new Visit().comeIn().tell({ type: "rooms", rooms: [], next: "x" });
  const page = Array.from({ length: 500 }, (_, number) => ({ name: `r${number}`, clients_count: 0 }));
  for (let number = 0; number < 20; number += 1) {
    visit.happen({ type: "listRooms", more: true });
    if (visit.sent("rooms").length > number) visit.tell({ type: "rooms", rooms: page, key: "more", next: "x" });
  }
  assert.equal(visit.state.listed.length, 5000);
});

test("a room is renamed as the server spells it", () => {
  const visit = go(new Visit().comeIn(), "ꭰꭱ").tell({ type: "system", room: "main", users: [], clients_count: 1 });
  visit.say("early").welcome({ room: "ᎠᎡ", head: 3 });
  assert.deepEqual([visit.state.current, Object.keys(visit.state.rooms)], ["ᎠᎡ", ["main", "ᎠᎡ"]]);
  assert.deepEqual(visit.sent("chat").map(({ room, text }) => [room, text]), [["ᎠᎡ", "early"]]);
});

test("a room may have a property name of JavaScript", () => {
  const visit = new Visit().comeIn().tell({ type: "chat", room: "constructor", id: 1, text: "x" });
  visit.happen({ type: "read", name: "constructor", readTo: 3 });
  go(visit, "constructor").welcome({ head: 2 }).chat(3);
  assert.deepEqual([visit.rows.length, visit.room.lastId, Object.keys(visit.state.rooms)], [1, 3, ["main", "constructor"]]);
  const kept = new Visit().enter().happen({ type: "restore", unsent: [{ room: "constructor", key: "k", text: "x", after: 0 }] });
  assert.equal(kept.state.rooms.constructor.outbox.length, 1);
});

test("a room from an address or a command must exist, unless the user means a new one", () => {
  const visit = new Visit({ room: "devv" }).enter().happen({ type: "connected" });
  const joins = () => visit.sent("join").map(({ room, must_exist }) => [room, Boolean(must_exist)]);
  const missing = (room) => visit.tell({ type: "error", code: "no_such_room", text: "no", room });
  assert.deepEqual(joins(), [["devv", true]]);
  missing("devv");
  assert.deepEqual(visit.effects.at(-1), { do: "askForRoom", name: "devv" });
  visit.happen({ type: "leaveRoom", name: "devv", refusal: { code: "no_such_room" } });
  assert.deepEqual([visit.state.current, joins().at(-1)], ["main", ["main", false]]);
  visit.welcome({ room: "main" }).happen({ type: "openRoom", name: "kitchen" });
  assert.deepEqual(joins().at(-1), ["kitchen", true]);
  missing("kitchen");
  visit.happen({ type: "openRoom", name: "kitchen", isMeant: true });
  assert.deepEqual(joins().at(-1), ["kitchen", false]);
  visit.welcome({ room: "kitchen" });
  visit.happen({ type: "disconnected", retryIn: 1, now: 0 }).happen({ type: "connected" });
  assert.deepEqual(joins().slice(-2).map(([, must]) => must), [false, false], "who has been there is there again");
  visit.happen({ type: "openRoom", name: "typo" }).happen({ type: "openRoom", name: "main" });
  missing("typo");
  assert.deepEqual([visit.state.current, visit.state.rooms.typo, visit.effects.at(-1).do], ["main", undefined, "send"], "who has gone on is not asked");
  visit.happen({ type: "openRoom", name: "garden", isMeant: true });
  assert.deepEqual(joins().at(-1), ["garden", false]);
  visit.tell({ type: "rooms", rooms: [{ name: "listed", clients_count: 1 }] }).happen({ type: "openRoom", name: "listed" });
  assert.deepEqual(joins().at(-1), ["listed", false]);
});

test("a question about a room that has become moot leaves nothing waiting", () => {
  const missing = (visit, room) => visit.tell({ type: "error", code: "no_such_room", text: "no", room });
  const meant = new Visit().comeIn().happen({ type: "openRoom", name: "foo" }).happen({ type: "openRoom", name: "foo", isMeant: true });
  missing(meant, "foo");
  assert.deepEqual(meant.sent("join").at(-1), { type: "join", room: "foo", user: "Anna", secret: "s" }, "the user has said already that they mean it");

  const left = new Visit().comeIn().happen({ type: "openRoom", name: "foo" }).happen({ type: "leaveRoom", name: "foo" });
  missing(left, "foo");
  assert.deepEqual([left.state.current, left.room.refusal], ["main", null]);

  const waiting = new Visit({ room: "typo", rooms: { main: { readTo: 1 } } }).enter().say("to nobody").happen({ type: "connected" });
  missing(waiting, "typo");
  waiting.happen({ type: "leaveRoom", name: "typo", refusal: { code: "no_such_room" } });
  assert.deepEqual([waiting.state.busy, waiting.room.outbox.length, waiting.sent("join").at(-1).room], [false, 1, "main"]);
});
