// The copies of open rooms: what is copied, how it is shown, and how the log takes its place.

import assert from "node:assert/strict";
import { test } from "node:test";

import { COPIED_AT_MOST, COPY_BYTES_AT_MOST, copyOf, needsProof } from "../../besedka/client/chat/copies/state.js";
import { ids, texts, Visit } from "./visit.mjs";

const message = (id, text = `message ${id}`, user = "Boris") => ({ id, user, text, day: "2025-01-01", time: "10:00:00" });
const messages = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => message(first + index));
const copy = (first, last, more = {}) => ({ room: "main", epoch: "e", messages: messages(first, last), ...more });
const kept = ({ rows }) => ids(rows.filter(({ status }) => status === "kept"));

/** A visit of a known user whose first connection failed, with copies. */
function offline(...copies) {
  const visit = new Visit({ name: "Anna", rooms: { main: { readTo: 20, epoch: "e" }, dev: { readTo: 0, epoch: "e" } } });
  visit.happen({ type: "resume", name: "Anna", secret: "s" }).lose();
  return visit.happen({ type: "showCopies", copies });
}

const welcomed = (visit, more) => visit.happen({ type: "connected" }).welcome(more);

test("kept messages are shown, and count as nothing that the server has said", () => {
  const visit = offline(copy(11, 30, { messages: [...messages(11, 29), message(30, "Anna, look")] }));
  const { rows, ...room } = visit.room;
  assert.deepEqual(kept(visit.room), ids(messages(11, 30)));
  assert.deepEqual([rows.at(-1).mentioned, rows.every(({ old, live }) => old && !live)], [true, true]);
  assert.deepEqual([room.lastId, room.firstId, room.endId, room.readTo, room.unreadFrom, room.mentions], [0, 0, 0, 20, -1, 0]);
  visit.happen({ type: "connected" });
  assert.deepEqual(visit.sent("join"), [{ type: "join", room: "main", user: "Anna", secret: "s" }]);
  assert.equal(copyOf(visit.room), null, "no copy is made of a copy");
});

test("a room that is joined, private, or not the user's takes no copy, nor a second one", () => {
  const visit = offline(copy(1, 3), copy(4, 6), copy(1, 3, { room: "elsewhere" }));
  assert.deepEqual([kept(visit.room), Object.keys(visit.state.rooms)], [[1, 2, 3], ["main", "dev"]]);
  const later = new Visit().comeIn({ head: 2 }).history(1, 2).happen({ type: "showCopies", copies: [copy(1, 2)] });
  assert.deepEqual(kept(later.room), []);
  const secret = new Visit({ name: "Anna", rooms: { main: { kind: "private", epoch: "e" } } }).happen({ type: "showCopies", copies: [copy(1, 2)] });
  assert.deepEqual(secret.rows, []);
});

test("messages that wait stay behind the kept ones", () => {
  const visit = offline().say("waiting").happen({ type: "showCopies", copies: [copy(1, 2)] }).say("waiting, too");
  assert.deepEqual(texts(visit.rows), ["message 1", "message 2", "waiting", "waiting, too"]);
});

test("the last messages go on where the kept ones end, and a page takes the place of the rest", () => {
  const visit = welcomed(offline(copy(11, 30)), { head: 32 });
  assert.deepEqual([kept(visit.room).length, visit.room.unreadFrom], [20, 20]);
  visit.history(23, 32);
  assert.deepEqual([kept(visit.room), ids(visit.rows)], [ids(messages(11, 22)), ids(messages(11, 32))]);
  assert.deepEqual(visit.sent("history"), [{ type: "history", room: "main", before: 23, limit: 50 }]);
  visit.answer();
  assert.deepEqual([kept(visit.room), ids(visit.rows), visit.room.firstId], [[], ids(messages(1, 32)), 1]);
  assert.deepEqual(visit.rows.map(({ status }) => status).filter((status) => status !== "delivered"), []);
});

test("after much was said meanwhile, a reader at the end goes on there", () => {
  const visit = welcomed(offline(copy(11, 30)), { head: 100 }).history(91, 100);
  assert.deepEqual([ids(visit.rows), visit.sent("history")], [ids(messages(91, 100)), []]);
});

test("after much was said meanwhile, a reader further up stays there", () => {
  const visit = offline(copy(11, 30)).happen({ type: "follow", isFollowing: false });
  welcomed(visit, { head: 100 }).history(91, 100);
  assert.deepEqual(kept(visit.room), ids(messages(11, 30)));
  visit.answer();
  assert.deepEqual([kept(visit.room), ids(visit.rows), visit.room.isAtEnd], [[], ids(messages(1, 30)), false]);
  assert.equal(visit.room.lastId, 100);
});

test("a connection that is lost before that page arrives asks for it again", () => {
  const visit = welcomed(offline(copy(11, 30)), { head: 30 }).history(21, 30).lose();
  assert.deepEqual(kept(visit.room), ids(messages(11, 20)));
  welcomed(visit, { head: 30 });
  assert.deepEqual(visit.sent("history").map(({ before }) => before), [21, 21]);
  visit.answer();
  assert.deepEqual([kept(visit.room), ids(visit.rows)], [[], ids(messages(1, 30))]);
});

for (const [name, more] of Object.entries({ "of another epoch": { epoch: "f", head: 9 }, "of an empty log": { head: 0 }, "of a private room": { head: 9, kind: "private" } })) {
  test(`a welcome ${name} ends the kept messages`, () => {
    assert.deepEqual(welcomed(offline(copy(1, 9)), more).rows, []);
  });
}

test("a copy of another log than the read position brings none of its own", () => {
  const visit = offline(copy(1, 9, { epoch: "f" }));
  assert.deepEqual([kept(visit.room).length, visit.room.readTo], [9, -1]);
  welcomed(visit, { head: 9, epoch: "f" });
  assert.deepEqual([visit.room.readTo, visit.room.unreadFrom], [9, -1]);
});

test("a room that is not on the screen gives up its kept messages at the welcome, and a link finds its message in the log", () => {
  const visit = welcomed(offline(copy(1, 9), copy(1, 9, { room: "dev" })), { head: 9 }).welcome({ room: "dev", head: 9 });
  assert.deepEqual(kept(visit.state.rooms.dev), []);
  const linked = offline(copy(1, 30));
  linked.state = { ...linked.state, rooms: { ...linked.state.rooms, main: { ...linked.room, target: 17 } } };
  welcomed(linked, { head: 60 });
  assert.deepEqual([kept(linked.room), linked.sent("history").map(({ before }) => before)], [[], [43]]);
});

test("a kept message that is redacted, or marked as unread, is so at once, and each mention counts once", () => {
  const visit = offline(copy(11, 30, { messages: [...messages(11, 18), message(19, "Anna!"), ...messages(20, 29), message(30, "Anna, look")] }));
  visit.tell({ type: "redacted", id: 12, text: "[removed]--" }).happen({ type: "markUnread", id: 19 });
  assert.deepEqual([visit.rows[1].text, visit.rows[1].isRemoved, visit.room.mentions], ["[removed]--", true, 1]);
  assert.deepEqual(visit.effects.filter((effect) => effect.do === "renewCopy"), [{ do: "renewCopy", name: "main" }]);
  welcomed(visit, { head: 30 }).tell({ type: "history", first: 30, messages: ["[2025-01-01 10:00:00] Boris: Anna, look"] });
  assert.equal(visit.room.mentions, 2);
  visit.answer({ before: 30 });
  assert.equal(visit.room.mentions, 2);
});

test("a refused room that stays for what is unsent is copied no more, until it takes the user again", () => {
  const visit = offline(copy(1, 9, { room: "dev" })).happen({ type: "openRoom", name: "dev" }).say("unsent").happen({ type: "connected" });
  visit.tell({ type: "error", code: "not_invited", text: "" });
  assert.deepEqual([texts(visit.rows), visit.room.provenFrom], [["unsent"], Infinity]);
  visit.happen({ type: "openRoom", name: "dev", isMeant: true }).welcome({ head: 2 }).history(1, 2);
  assert.deepEqual(copyOf(visit.room).messages.length, 2);
});

test("a copy has the last messages of an open room as the log has them, without what waits", () => {
  const visit = new Visit().comeIn({ head: 60 }).history(1, 60, { unverified: [60] }).say("waiting");
  const made = copyOf(visit.room);
  assert.deepEqual([made.room, made.epoch, ids(made.messages)], ["main", "e", ids(messages(61 - COPIED_AT_MOST, 60))]);
  assert.deepEqual(made.messages.at(-1), { ...message(60), isUnverified: true });
  assert.deepEqual(made.messages[0], message(11));
  for (const kind of ["private", "direct"]) assert.equal(copyOf({ ...visit.room, kind }), null);
  assert.equal(copyOf({ ...visit.room, isAtEnd: false }), null);
});

test("a copy has a bound in bytes", () => {
  const visit = new Visit().comeIn({ head: 0 });
  for (let id = 1; id <= 20; id += 1) visit.chat(id, "я".repeat(5000));
  const { messages } = copyOf(visit.room);
  assert.deepEqual(ids(messages), [15, 16, 17, 18, 19, 20]);
  assert.ok(new TextEncoder().encode(JSON.stringify(messages)).length <= COPY_BYTES_AT_MOST);
});

test("after a reconnect only rows that are proven are copied; the others are compared with the log", () => {
  const visit = new Visit().comeIn({ head: 40 }).history(1, 40).lose();
  welcomed(visit, { head: 42 }).history(41, 42);
  assert.deepEqual([ids(copyOf(visit.room).messages), needsProof(visit.room)], [[41, 42], true]);
  visit.happen({ type: "proveRows" });
  const { before, limit } = visit.sent("history").at(-1);
  assert.deepEqual([before, limit, needsProof(visit.room)], [41, 50, false]);
  const page = Array.from({ length: 36 }, (_, index) => `[2025-01-01 10:00:00] Boris: ${index ? `message ${index + 5}` : "[removed]"}`);
  const rows = visit.rows;
  visit.tell({ type: "history", before, first: 5, messages: page });
  assert.deepEqual([visit.rows[4].text, visit.rows[4].isRemoved, visit.rows[5] === rows[5]], ["[removed]", true, true]);
  assert.deepEqual([ids(visit.rows), visit.room.fetching], [ids(messages(1, 42)), null]);
  assert.deepEqual([ids(copyOf(visit.room).messages), needsProof(visit.room)], [ids(messages(5, 42)), true], "the page had a bound in bytes");
  visit.happen({ type: "proveRows" }).answer();
  assert.deepEqual([ids(copyOf(visit.room).messages), needsProof(visit.room)], [ids(messages(1, 42)), false]);
});
