// The window of rows on a long log: older and newer pages, jumping, searching.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Tail } from "../../besedka/client/chat/reading/tail.js";
import { ids, Visit } from "./visit.mjs";

const ends = (visit) => [visit.rows.find(({ id }) => id)?.id, visit.rows.findLast(({ id }) => id)?.id];
const consistent = (visit) => {
  const shown = ids(visit.rows).filter(Boolean);
  assert.deepEqual(shown, shown.map((_, index) => shown[0] + index), "no hole, no double");
  assert.deepEqual(ends(visit), [visit.room.firstId, visit.room.endId]);
  assert.equal(visit.room.isAtEnd, visit.room.endId === visit.room.lastId);
};

/** A visit to a room of 1 000 messages. */
function reader(head = 1000) {
  return new Visit().comeIn({ head }).history(head - 9, head);
}

test("a very long log keeps a bounded number of rows", () => {
  const visit = new Visit().comeIn();
  for (let id = 1; id <= 100_000; id += 1) {
    visit.chat(id);
    if (visit.rows.length > 400) assert.fail(`${visit.rows.length} rows`);
  }
  consistent(visit);
  assert.equal(visit.room.endId, 100_000);
});

test("the last messages of a first visit may come in several pages, and those that are lost with the connection are asked for", () => {
  const visit = new Visit().comeIn({ head: 1000 }).history(991, 996);
  assert.equal(visit.room.endId, 996);
  visit.lose().happen({ type: "connected" });
  assert.equal(visit.sent("join").at(-1).since, 996);
  visit.welcome({ head: 1001 }).history(997, 999).history(1000, 1001).chat(1002);
  consistent(visit);
  assert.deepEqual(ends(visit), [991, 1002]);
  assert.deepEqual(ids(visit.rows.filter(({ old }) => old)), [991, 992, 993, 994, 995, 996, 997, 998, 999, 1000]);
});

test("a first visit whose messages are all lost with the connection begins again with the last ones", () => {
  const visit = new Visit().comeIn({ head: 1000 }).lose().happen({ type: "connected" });
  assert.equal(visit.sent("join").at(-1).since, undefined);
  visit.welcome({ head: 1001 }).history(992, 1001);
  consistent(visit);
  assert.deepEqual(ends(visit), [992, 1001]);
});

test("older pages are prepended until the beginning is reached", () => {
  const visit = reader(130);
  visit.happen({ type: "loadOlder" }).happen({ type: "loadOlder" });
  assert.deepEqual(visit.sent("history"), [{ type: "history", room: "main", before: 121, limit: 50 }], "one question at a time");
  visit.answer();
  assert.ok(visit.rows[0].old);
  visit.happen({ type: "loadOlder" }).answer().happen({ type: "loadOlder" }).answer();
  consistent(visit);
  assert.equal(visit.room.firstId, 1);
  visit.happen({ type: "loadOlder" });
  assert.equal(visit.sent("history").length, 3);
});

test("far up, the window lets go of the end, and gets it back page by page", () => {
  const visit = reader();
  for (let page = 0; page < 12; page += 1) {
    visit.happen({ type: "loadOlder" }).answer();
    consistent(visit);
    assert.ok(visit.rows.length <= 400);
  }
  assert.ok(!visit.room.isAtEnd);
  const shown = visit.rows;
  visit.chat(1001, "Anna");
  assert.deepEqual([visit.rows === shown, visit.room.lastId, visit.room.mentions], [true, 1001, 1], "what comes is counted");
  while (!visit.room.isAtEnd) {
    visit.happen({ type: "loadNewer" }).answer();
    consistent(visit);
  }
  assert.equal(visit.room.endId, 1001);
  visit.chat(1002);
  consistent(visit);
});

test("the outbox is behind everything, wherever the window is", () => {
  const visit = reader().say("mine").happen({ type: "jump", id: 500 }).answer();
  assert.deepEqual([visit.rows.at(-1).text, ends(visit)], ["mine", [476, 525]]);
  for (let page = 0; page < 12; page += 1) visit.happen({ type: "loadOlder" }).answer();
  assert.equal(visit.rows.at(-1).text, "mine");
  visit.chat(1001, "mine", { user: "Anna", key: "mine" });
  assert.notEqual(visit.rows.at(-1).text, "mine");
  assert.equal(visit.room.outbox.length, 0);
});

test("a jump shows a message in its context, and leads back to the end", () => {
  const visit = reader().happen({ type: "jump", id: 500 });
  assert.equal(visit.room.target, 500);
  visit.answer();
  consistent(visit);
  assert.ok(visit.rows.some(({ id }) => id === 500));
  visit.happen({ type: "jumped" }).happen({ type: "jump", id: 510 });
  assert.deepEqual([visit.room.target, visit.sent("history").length], [510, 1], "it is shown already");
  visit.happen({ type: "jump", id: 0 }).answer();
  assert.deepEqual([visit.room.target, visit.room.isAtEnd, visit.room.endId], [0, true, 1000]);
});

test("a jump supersedes a page in flight", () => {
  const visit = reader().happen({ type: "loadOlder" });
  const { before } = visit.sent("history")[0];
  visit.happen({ type: "jump", id: 100 }).history(before - 50, before - 1, { before });
  assert.equal(visit.room.firstId, 991, "that page is not wanted any more");
  visit.answer();
  consistent(visit);
  assert.ok(ids(visit.rows).includes(100));
});

test("a jump to an unknown id leads to the end; the first ids are reachable", () => {
  const visit = reader().happen({ type: "jump", id: 5000 });
  assert.equal(visit.room.target, 0);
  visit.happen({ type: "jump", id: 2 }).answer();
  consistent(visit);
  assert.equal(visit.room.firstId, 1);
});

test("the message that the address names is fetched after the login", () => {
  const visit = new Visit().happen({ type: "jump", id: 17 }).comeIn({ head: 1000 });
  assert.deepEqual(visit.sent("history").map(({ before }) => before), [43]);
  visit.history(991, 1000).answer();
  consistent(visit);
  assert.ok(ids(visit.rows).includes(17));
});

test("a page that never came can be requested again on the next connection", () => {
  const visit = reader().happen({ type: "loadOlder" }).lose().happen({ type: "connected" }).welcome({ head: 1000 }).happen({ type: "loadOlder" });
  assert.equal(visit.sent("history").length, 2);
  visit.tell({ type: "error", code: "bad_frame", text: "" }).happen({ type: "loadOlder" });
  assert.equal(visit.sent("history").length, 3);
});

test("new messages do not push out what is being read further up", () => {
  const visit = reader().happen({ type: "loadOlder" }).answer().happen({ type: "follow", isFollowing: false });
  const { firstId } = visit.room;
  for (let id = 1001; id <= 3000; id += 1) visit.chat(id);
  assert.equal(visit.room.firstId, firstId);
  assert.ok(visit.rows.length <= 400);
  assert.ok(!visit.room.isAtEnd);
  consistent(visit);
  visit.happen({ type: "follow", isFollowing: true }).happen({ type: "jump", id: 0 }).answer();
  assert.deepEqual([visit.room.isAtEnd, visit.room.endId], [true, 3000]);
});

test("only the end of the log on the screen counts as read", () => {
  const visit = reader().happen({ type: "jump", id: 500 }).answer().chat(1001).happen({ type: "seen" });
  assert.equal(visit.room.readTo, 1000);
});

test("a search shows the newest hits, and continues with older ones", () => {
  const visit = reader().happen({ type: "search", text: "needle" });
  assert.deepEqual(visit.sent("search"), [{ type: "search", room: "main", before: 0, key: "search-1", text: "needle" }]);
  const found = (idsFound, before, text = "needle") => visit.tell({
    type: "found", text, ids: idsFound, messages: idsFound.map((id) => `[2025-01-01 10:00:00] Boris: needle ${id}`), before, key: "search-1",
  });
  found([900, 950], 900);
  assert.deepEqual([visit.state.search.busy, visit.state.search.before.main], [false, 900]);
  assert.deepEqual(visit.state.search.hits[0], { id: 900, room: "main", user: "Boris", text: "needle 900", day: "2025-01-01", time: "10:00:00", isUnverified: false });
  visit.happen({ type: "searchMore" }).happen({ type: "searchMore" });
  assert.equal(visit.sent("search").length, 2);
  found([], 400);
  assert.deepEqual([visit.sent("search").length, visit.sent("search")[2].before, visit.state.search.busy], [3, 400, true], "nothing yet: it looks on");
  found([3], 0);
  assert.deepEqual([ids(visit.state.search.hits), visit.state.search.before.main, visit.state.search.busy], [[3, 900, 950], 0, false]);
  visit.happen({ type: "searchMore" }).happen({ type: "search", text: "other" });
  found([7], 0);
  assert.deepEqual(visit.state.search.hits, [], "an answer to an earlier question");
  visit.tell({ type: "error", code: "bad_search", text: "bad", key: "search-2" });
  assert.deepEqual([visit.state.search.busy, visit.state.search.refusal.code], [false, "bad_search"]);
  visit.happen({ type: "endSearch" });
  assert.equal(visit.state.search, null);
  visit.happen({ type: "search", text: " " });
  assert.equal(visit.state.search, null);
});

test("a day is gone to by a page that begins with its first message", () => {
  const visit = reader().happen({ type: "goto", day: "2025-01-02" });
  const asked = visit.sent("history").at(-1);
  assert.deepEqual([asked.before, asked.from_time], [undefined, Date.UTC(2025, 0, 2) / 1000]);
  const messages = Array.from({ length: 50 }, (_, at) => `[2025-01-02 10:00:${10 + at}] Boris: message ${301 + at}`);
  visit.tell({ type: "history", room: "main", first: 301, messages, from_time: asked.from_time });
  assert.deepEqual([visit.room.firstId, visit.room.endId, visit.room.target, visit.room.isAtEnd], [301, 350, 301, false]);
  consistent(visit);
  visit.happen({ type: "goto", day: "2030-01-01" });
  visit.tell({ type: "history", room: "main", first: 1001, messages: [], from_time: visit.sent("history").at(-1).from_time });
  assert.deepEqual([visit.room.refusal.code, visit.room.firstId, visit.room.fetching], ["nothing_since", 301, null]);
  visit.happen({ type: "goto", day: "tomorrow" });
  assert.equal(visit.room.refusal.code, "bad_date");
});

for (const [when, early] of [
  ["before the page is connected", (visit) => visit.enter().happen({ type: "goto", day: "2025-01-02" })],
  ["and the connection is lost before the answer", (visit) => visit.comeIn({ head: 1000 }).history(991, 1000).happen({ type: "goto", day: "2025-01-02" }).lose()],
]) {
  test(`a day that was asked for ${when} is gone to when it is there`, () => {
    const visit = early(new Visit()).happen({ type: "connected" }).welcome({ head: 1000 });
    const asked = visit.sent("history").filter((frame) => frame.from_time);
    assert.deepEqual(asked.map((frame) => frame.from_time).at(-1), Date.UTC(2025, 0, 2) / 1000);
    visit.tell({ type: "history", room: "main", first: 301, messages: ["[2025-01-02 10:00:10] Boris: message 301"], from_time: asked.at(-1).from_time });
    assert.deepEqual([visit.room.target, visit.room.day, visit.room.refusal], [301, "", null]);
  });
}

test("in a flood the last rows are drawn, and the others above them later", () => {
  const { room } = reader(1000).chat(1001);
  const drawn = (tail) => tail.of(room).rows.map(({ id }) => id);
  const tail = new Tail();
  assert.equal(tail.of(room), room);
  tail.cut(room.rows, 4);
  assert.deepEqual([tail.isCut, drawn(tail), tail.of(room).firstId], [true, [998, 999, 1000, 1001], 998]);
  tail.extend(room.rows, 4);
  assert.deepEqual(drawn(tail), [994, 995, 996, 997, 998, 999, 1000, 1001]);
  tail.extend(room.rows, 4);
  assert.deepEqual([tail.isCut, tail.of(room)], [false, room]);
});

test("a flood does not drop the row of a link before it is shown", () => {
  const visit = reader(1000);
  for (let id = 1001; id <= 1300; id += 1) visit.chat(id);
  visit.happen({ type: "jump", id: 1010 });
  for (let id = 1301; id <= 2000; id += 1) visit.chat(id);
  assert.equal(visit.room.target, 1010);
  assert.ok(ids(visit.rows).includes(1010));
  consistent(visit);
});

test("a room that the rows of a flood have left is drawn whole", () => {
  const { room } = reader(1000).chat(1001);
  const tail = new Tail();
  tail.cut(room.rows, 400);
  assert.deepEqual([tail.isCut, tail.of(room)], [false, room], "it has fewer rows");
  tail.cut(room.rows, 4);
  const others = { ...room, rows: room.rows.slice(-2) };
  assert.deepEqual([tail.of(others), tail.isCut], [others, false]);
  tail.cut(room.rows, 4);
  tail.restore();
  assert.equal(tail.of(room), room);
});

const marks = (visit) => visit.sent("read").map(({ room, id }) => [room, id]);

test("where the server keeps a mark, a first visit goes on from there, and a later one from the further of both", () => {
  const first = new Visit().comeIn({ head: 100, read_up_to: 40 });
  assert.deepEqual([first.room.readTo, first.room.unreadFrom], [40, 40]);
  const none = new Visit().comeIn({ head: 100, read_up_to: 0 });
  assert.deepEqual([none.room.readTo, none.room.unreadFrom], [100, -1], "nothing was read on any device: all is old");
  const further = new Visit({ rooms: { main: { readTo: 70, epoch: "e" } } }).comeIn({ head: 100, read_up_to: 90 });
  assert.deepEqual([further.room.readTo, further.room.unreadFrom], [90, 90]);
  const behind = new Visit({ rooms: { main: { readTo: 70, epoch: "e" } } }).comeIn({ head: 100, read_up_to: 60 });
  assert.equal(behind.room.readTo, 70);
  behind.happen({ type: "markRead" }).happen({ type: "markRead" });
  assert.deepEqual(marks(behind), [["main", 70]], "the server is told once");
});

test("the mark of another device takes away what is unread and the mentions in it, and never adds any", () => {
  const visit = reader(100).happen({ type: "focus", isFocused: false });
  visit.welcome({ head: 100, read_up_to: 100 }).chat(101, "Anna").chat(102).chat(103, "Anna");
  assert.deepEqual([visit.room.lastId - visit.room.readTo, visit.room.mentions], [3, 2]);
  visit.tell({ type: "read", id: 102 });
  assert.deepEqual([visit.room.readTo, visit.room.mentions], [102, 1]);
  visit.tell({ type: "read", id: 50 });
  assert.equal(visit.room.readTo, 102);
  visit.tell({ type: "read", id: 103 }).happen({ type: "focus", isFocused: true });
  assert.deepEqual([visit.room.readTo, visit.room.mentions, visit.room.unreadFrom], [103, 0, -1]);
  visit.happen({ type: "markRead" });
  assert.deepEqual(marks(visit), [], "the server knows");
});

test("what was read here is sent, once, and again after a loss of the connection in which it may have been lost", () => {
  const visit = new Visit().comeIn({ head: 10, read_up_to: 10 }).history(1, 10);
  visit.chat(11).chat(12).happen({ type: "markRead" });
  assert.deepEqual(marks(visit), [], "nobody has seen them");
  visit.happen({ type: "seen" }).happen({ type: "markRead" }).happen({ type: "markRead" });
  assert.deepEqual(marks(visit), [["main", 12]]);
  visit.lose().happen({ type: "markRead" }).happen({ type: "connected" }).welcome({ head: 12, read_up_to: 10 }).happen({ type: "markRead" });
  assert.deepEqual(marks(visit), [["main", 12], ["main", 12]]);
});

test("guests, and whoever is in an older chat, send no marks", () => {
  const visit = new Visit().comeIn({ head: 10 }).history(1, 10).chat(11).happen({ type: "seen" }).happen({ type: "markRead" });
  assert.equal(visit.room.readTo, 11);
  assert.deepEqual(marks(visit), []);
});

test("a message that was marked as unread stays so on this device, whatever is read on others, until the user has read it again", () => {
  const visit = new Visit().comeIn({ head: 100, read_up_to: 100 }).history(91, 100).happen({ type: "markUnread", id: 95 });
  visit.tell({ type: "read", id: 100 }).chat(101).tell({ type: "read", id: 101 }).happen({ type: "markRead" });
  assert.deepEqual([visit.room.readTo, marks(visit)], [94, []], "a mark of the server never moves back");
  // After a reload, too.
  const { readTo, rewinds, markedId, epoch } = visit.room;
  const again = new Visit({ rooms: { main: { readTo, rewinds, markedId, epoch } } }).comeIn({ head: 101, read_up_to: 101 });
  again.history(92, 101).tell({ type: "read", id: 101 });
  assert.deepEqual([again.room.readTo, again.room.unreadFrom], [94, 94]);
  again.happen({ type: "seen" });
  assert.equal(again.room.readTo, 101);
  again.chat(102).tell({ type: "read", id: 102 });
  assert.equal(again.room.readTo, 102, "from then on they count again");
});

test("a mark belongs to its log", () => {
  const visit = new Visit({ rooms: { main: { readTo: 70, epoch: "e" } } }).comeIn({ head: 100, read_up_to: 70 });
  visit.welcome({ head: 5, epoch: "another", reset: true, read_up_to: 0 }).happen({ type: "markRead" });
  assert.equal(visit.room.readTo, 5);
  assert.deepEqual(marks(visit), [["main", 5]]);
});
