// Logging in, posting, receiving; reconnecting without loss or duplicates.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf } from "../../besedka/client/chat/protocol.js";

import { ids, texts, Visit } from "./visit.mjs";

const waiting = ({ rooms }) => Object.values(rooms).reduce((sum, { outbox }) => sum + outbox.length, 0);
const said = (visit) => visit.sent("chat").map(({ key, after }) => [key, after]);

test("a login is remembered under the name as the server spells it", () => {
  const visit = new Visit().enter(" ");
  assert.equal(visit.state.problem.code, "empty_name");
  visit.enter(" anna ").happen({ type: "connected" });
  assert.deepEqual(visit.sent(), [{ type: "join", room: "main", user: "anna", secret: "s" }]);
  assert.ok(visit.state.busy);
  visit.welcome({ user: "Anna" });
  assert.deepEqual([visit.state.scene, visit.state.me, visit.state.busy], ["chat", "Anna", false]);
  assert.deepEqual(visit.effects.at(-1), { do: "remember", name: "Anna" });
});

test("a refused name is reported at the login, and the next one is tried on the same connection", () => {
  const visit = new Visit().enter().happen({ type: "connected" }).tell({ type: "error", code: "name_taken", text: "taken" });
  assert.deepEqual([visit.state.scene, visit.state.busy, visit.state.problem.code], ["login", false, "name_taken"]);
  visit.enter("Hanna");
  assert.deepEqual(visit.sent("join").map(({ user }) => user), ["Anna", "Hanna"]);
  visit.welcome();
  assert.deepEqual([visit.state.scene, visit.state.problem], ["chat", null]);
});

test("a message received live and by history is shown once", () => {
  const visit = new Visit().comeIn().chat(1, "a").chat(2, "a").history(1, 3).chat(3, "a").chat(4, "b");
  assert.deepEqual(ids(visit.rows), [1, 2, 3, 4]);
});

test("messages from before the login are old, live ones are new", () => {
  const visit = new Visit().comeIn({ head: 2 }).history(1, 2).chat(3);
  assert.deepEqual(visit.rows.map(({ id, old, live }) => [id, old, Boolean(live)]), [[1, true, false], [2, true, false], [3, false, true]]);
});

test("days are those of the server's time zone", () => {
  const visit = new Visit().comeIn({ utc_offset: 3600 }).chat(1, "x", { at: 1_699_999_000 - (1_699_999_000 % 86_400) - 60 });
  assert.equal(visit.rows[0].day, new Date((1_699_999_000 - (1_699_999_000 % 86_400)) * 1000).toISOString().slice(0, 10));
});

test("a message's day is the server's also after a change of its clock, whatever the browser's clock says", () => {
  const midnight = Date.UTC(2024, 2, 31) / 1000;
  // The time of day and the offset at the login; how far the moment is off.
  for (const hour of [0, 1, 2, 11, 12, 13, 22, 23]) {
    for (const offset of [-43_200, -3600, 0, 3600, 20_700, 50_400]) {
      for (const change of [-7200, -3600, 0, 3600, 7200]) {
        for (const error of [-8 * 3600, 0, 8 * 3600]) {
          const at = midnight + hour * 3600 + 61 - offset - change + error;
          assert.equal(dayOf(at, offset, `${String(hour).padStart(2, "0")}:01:01`), "2024-03-31", `${hour} ${offset} ${change} ${error}`);
        }
      }
    }
  }
  assert.equal(dayOf(midnight, 0, "soon"), "2024-03-31");
});

test("notices of two days are two rows, each with its day", () => {
  const visit = new Visit().comeIn({ users: ["Anna"] });
  const joined = (name, at) => Object.assign(visit, { at }).tell({ type: "system", text: "t", timestamp: "23:59:00", clients_count: 2, joined: [name], left: [] });
  const night = Date.UTC(2024, 1, 28, 23, 59) / 1000;
  joined("Boris", night);
  joined("Clara", night);
  joined("Dmitri", night + 86_400);
  assert.deepEqual(visit.rows.map(({ day, joined }) => [day, joined]), [["2024-02-28", ["Boris", "Clara"]], ["2024-02-29", ["Dmitri"]]]);
});

test("a delivered message leaves the outbox, whether received live or by history", () => {
  const live = new Visit().comeIn().say("mine", "k1").chat(1, "mine", { user: "Anna", key: "k1" });
  const page = new Visit().comeIn().say("mine", "k1").history(1, 1, { keys: { 1: "k1" } });
  for (const visit of [live, page]) {
    assert.deepEqual(visit.rows.map(({ id, status }) => [id, status]), [[1, "delivered"]]);
    assert.equal(waiting(visit.state), 0);
  }
  assert.ok(live.rows[0].own);
});

test("the outbox stays behind delivered messages, and is sent again in order after a reconnect", () => {
  const visit = new Visit().comeIn().say("mine").chat(1, "theirs").lose().say("mine too");
  assert.ok(visit.rows.slice(-2).every(({ status }) => status === "waiting"));
  visit.happen({ type: "connected" }).say("before the welcome").welcome({ head: 1 });
  assert.deepEqual(texts(visit.rows), ["theirs", "mine", "mine too", "before the welcome"]);
  const joins = visit.sent("join");
  assert.ok(!("since" in joins[0]));
  assert.deepEqual([joins[1].since, joins[1].epoch], [1, "e"]);
  // Only what was on its way may have been stored, and then behind what was heard before the connection was lost.
  assert.deepEqual(said(visit), [["mine", undefined], ["mine", 1], ["mine too", undefined], ["before the welcome", undefined]]);
});

test("a message that is sent again keeps its `after`, however often the connection is lost", () => {
  const visit = new Visit().comeIn({ head: 7 }).say("ok", "k1").lose().happen({ type: "connected" }).welcome({ head: 7 });
  visit.chat(8).chat(9).lose().happen({ type: "connected" }).welcome({ head: 9 });
  assert.deepEqual(said(visit), [["k1", undefined], ["k1", 7], ["k1", 7]]);
});

test("the second of two equal texts is sent again behind the first one, once that is delivered", () => {
  const visit = new Visit().comeIn({ head: 10 }).say("ok", "k1").say("ok", "k2").chat(11, "ok", { user: "Anna", key: "k1" });
  visit.lose().happen({ type: "connected" }).welcome({ head: 11 });
  assert.deepEqual(said(visit).at(-1), ["k2", 11]);
});

test("the second of two equal texts that were both sent again is sent behind the first one, by pages as well", () => {
  for (const delivered of ["chat", "history"]) {
    const visit = new Visit().comeIn({ head: 10 }).say("ok", "k1").say("ok", "k2");
    visit.lose().happen({ type: "connected" }).welcome({ head: 10 });
    assert.deepEqual(said(visit).slice(-2), [["k1", 10], ["k2", 10]]);
    if (delivered === "chat") visit.chat(11, "ok", { user: "Anna", key: "k1" });
    else visit.tell({ type: "history", room: "main", first: 11, messages: ["[2025-01-01 00:00:00] Anna: ok"], keys: { 11: "k1" } });
    visit.lose().happen({ type: "connected" }).welcome({ head: 11 });
    assert.deepEqual(said(visit).at(-1), ["k2", 11]);
  }
});

test("no more than 32 messages are in flight", () => {
  const visit = new Visit().comeIn();
  for (let number = 1; number <= 100; number += 1) visit.say(`k${number}`);
  assert.equal(visit.sent("chat").length, 32);
  visit.chat(1, "k1", { user: "Anna", key: "k1" });
  assert.equal(visit.sent("chat").length, 33);
  assert.equal(visit.rows.length, 100);
});

test("messages refused as too fast wait, and are sent again in order", () => {
  const tooFast = (visit, key) => visit.tell({ type: "error", code: "too_fast", text: "", key, retry_after: 1.5 });
  const visit = new Visit().comeIn().say("k1").say("k2");
  tooFast(visit, "k1").say("k3");
  tooFast(visit, "k2");
  const later = visit.effects.filter((effect) => effect.do === "schedule");
  assert.deepEqual(later, [{ do: "schedule", seconds: 1.5, event: { type: "resend", name: "main" } }]);
  visit.happen(later[0].event).happen(later[0].event);
  assert.deepEqual(visit.sent("chat").map(({ key }) => key), ["k1", "k2", "k1", "k2", "k3"]);
  assert.ok(visit.rows.every(({ status }) => status === "waiting"));
});

test("a refused message stays, can be retried or discarded, and blocks nothing", () => {
  const visit = new Visit().comeIn().say("k1").say("k2").tell({ type: "error", code: "storage_full", text: "full", key: "k1" });
  assert.deepEqual(visit.rows.map(({ key, status }) => [key, status]), [["k1", "failed"], ["k2", "waiting"]]);
  assert.equal(visit.rows[0].refusal.code, "storage_full");
  assert.equal(visit.room.refusal.isShown, true, "there, and not above the box as well");
  visit.chat(1, "k2", { user: "Anna", key: "k2" });
  assert.deepEqual(visit.rows.map(({ text, status }) => [text, status]), [["k2", "delivered"], ["k1", "failed"]]);
  visit.happen({ type: "retry", key: "k1" });
  assert.deepEqual([visit.rows[1].status, visit.sent("chat").at(-1).key, visit.room.refusal], ["waiting", "k1", null]);
  visit.tell({ type: "error", code: "text_too_long", text: "long", key: "k1" }).happen({ type: "discard", key: "k1" });
  assert.deepEqual([texts(visit.rows), waiting(visit.state), visit.room.refusal], [["k2"], 0, null]);
});

test("a message refused by a stopping server is sent to the next one", () => {
  const visit = new Visit().comeIn().say("k1").tell({ type: "error", code: "going_down", text: "", key: "k1" });
  assert.equal(visit.rows[0].status, "waiting");
  visit.lose().happen({ type: "connected" }).welcome();
  assert.deepEqual(said(visit), [["k1", undefined], ["k1", 0]]);
});

test("the outbox of an earlier visit is sent first, every message once", () => {
  const unsent = [{ room: "main", key: "k1", text: "one", after: 3 }, { room: "dev", key: "k2", text: "two", after: 0 }];
  const visit = new Visit().enter().happen({ type: "restore", unsent }).happen({ type: "restore", unsent });
  assert.equal(waiting(visit.state), 2);
  visit.say("new").happen({ type: "connected" }).welcome({ head: 5 }).welcome({ room: "dev" });
  assert.deepEqual(visit.sent("chat").map(({ room, key, after }) => [room, key, after]), [["main", "k1", 3], ["main", "new", undefined], ["dev", "k2", 0]]);
  // Another tab has sent it as well: the server tells it once, to both.
  visit.chat(6, "one", { user: "Anna", key: "k1" }).happen({ type: "restore", unsent: [] });
  visit.happen({ type: "discard", name: "dev", key: "k2" });
  assert.deepEqual(visit.state.rooms.dev.rows, []);
});

test("another epoch resets the room, and keeps the outbox", () => {
  const visit = new Visit().comeIn({ head: 50 }).history(41, 50).say("mine").lose().happen({ type: "connected" });
  visit.welcome({ head: 3, epoch: "other", reset: true }).history(1, 3);
  assert.deepEqual(visit.rows.map(({ id, text }) => id ?? text), [1, 2, 3, "mine"]);
  assert.deepEqual([visit.room.lastId, visit.room.readTo, visit.room.firstId], [3, 3, 1]);
});

test("the outbox of a name is not sent under another name", () => {
  const visit = new Visit().comeIn().say("mine").lose().happen({ type: "connected" }).tell({ type: "error", code: "name_taken", text: "" });
  visit.enter("Hanna").welcome();
  assert.deepEqual([visit.rows, said(visit)], [[], [["mine", undefined]]]);
});

test("a known user may write without a connection; a new one waits at the login", () => {
  const visit = new Visit({ name: "Anna" }).enter().lose().say("soon");
  assert.equal(visit.state.scene, "chat");
  visit.happen({ type: "connected" }).welcome();
  assert.deepEqual(said(visit), [["soon", undefined]]);
  assert.equal(new Visit({ name: "Anna" }).enter("Boris").lose().state.scene, "login");
});

test("a disconnected state knows since when, and when the next try is", () => {
  const visit = new Visit().comeIn();
  visit.now = 5000;
  visit.lose();
  visit.now = 7000;
  visit.lose();
  assert.deepEqual([visit.state.connection, visit.state.awaySince, visit.state.retryAt], ["away", 5000, 8000]);
  visit.happen({ type: "connected" }).welcome();
  assert.deepEqual([visit.state.connection, visit.state.awaySince, visit.state.retryAt], ["open", 0, 0]);
});

test("a final close code leads to the login", () => {
  const { state } = new Visit().comeIn().happen({ type: "connectionRefused", code: 1009 });
  assert.deepEqual([state.scene, state.connection, state.problem], ["login", "closed", { code: "closed", text: "1009" }]);
});

test("the people of a room follow system and typing frames", () => {
  const visit = new Visit().comeIn({ users: ["Anna", "Boris"], clients_count: 2 });
  const news = (joined, left) => visit.tell({ type: "system", user: "System", text: "t", timestamp: "", clients_count: 2, joined, left });
  news(["Clara"], ["Boris"]);
  assert.deepEqual(visit.room.users, ["Anna", "Clara"]);
  news(["Boris"], ["Clara"]);
  assert.deepEqual(visit.rows, [], "who came and went is in none of the rows");
  news(["Clara"], []);
  news(["Dmitri"], []);
  assert.deepEqual(visit.rows.map(({ joined }) => joined), [["Clara", "Dmitri"]]);
  visit.chat(1);
  news([], ["Dmitri"]);
  assert.deepEqual(visit.rows.map(({ kind }) => kind), ["system", "message", "system"]);
  visit.now = 1000;
  visit.tell({ type: "typing", user: "Boris" });
  assert.deepEqual(visit.room.typing, [{ user: "Boris", until: 5000 }]);
  visit.chat(2, "x", { user: "Boris" });
  assert.deepEqual(visit.room.typing, []);
});

test("a change of name is told as one, and the list has the new name", () => {
  const visit = new Visit().comeIn({ users: ["Anna", "Boris"], clients_count: 2 });
  const news = (joined, left, renamed) => visit.tell({ type: "system", text: "t", timestamp: "", clients_count: 2, joined, left, ...(renamed && { renamed }) });
  news(["Clara"], ["Boris"], { Boris: "Clara" });
  news(["Dmitri"], []);
  assert.deepEqual(visit.room.users, ["Anna", "Clara", "Dmitri"]);
  assert.deepEqual(visit.rows.map(({ joined, left, renamed }) => [joined, left, renamed]), [[["Dmitri"], [], [["Boris", "Clara"]]]]);
});

test("a notice of slow mode is a row of its own", () => {
  const visit = new Visit().comeIn();
  const news = (more) => visit.tell({ type: "system", text: "t", timestamp: "", clients_count: 2, joined: [], left: [], ...more });
  news({ joined: ["Boris"] });
  news({ slow: 30, text: "slow" });
  news({ joined: ["Clara"] });
  assert.deepEqual(visit.rows.map(({ joined, isOfMode, text }) => (isOfMode ? text : joined)), [["Boris"], "slow", ["Clara"]]);
});

test("a room is archived as the server says, at the join and later", () => {
  const visit = new Visit().comeIn({ archived: true });
  const news = (archived) => visit.tell({ type: "system", text: "t", timestamp: "", clients_count: 2, joined: [], left: [], archived });
  assert.equal(visit.room.isArchived, true);
  news(false);
  assert.equal(visit.room.isArchived, false);
  news(undefined);
  assert.equal(visit.room.isArchived, false);
  news(true);
  assert.equal(visit.room.isArchived, true);
  assert.equal(new Visit().comeIn().room.isArchived, false);
});

test("another name is taken in all joined rooms, and becomes the own one when it is welcome", () => {
  const visit = new Visit().comeIn();
  const { room, user, rename } = visit.happen({ type: "rename", to: "Bella" }).sent("join").at(-1);
  assert.deepEqual([room, user, rename], ["main", "Bella", true]);
  assert.equal(visit.state.me, "Anna");
  visit.welcome({ user: "Bella" });
  assert.equal(visit.state.me, "Bella");
});

test("people who reconnect after a restart are not announced as joined", () => {
  const visit = new Visit().comeIn({ users: ["Anna", "Boris"] }).lose().happen({ type: "connected" }).welcome({ users: ["Anna"] });
  const joined = (name) => visit.tell({ type: "system", text: "t", timestamp: "12:00:00", clients_count: 2, joined: [name], left: [] });
  joined("Boris");
  assert.deepEqual([visit.rows, visit.room.users], [[], ["Anna", "Boris"]]);
  joined("Clara");
  assert.deepEqual(visit.rows.map((row) => row.joined), [["Clara"]]);
});

test("a system frame with users replaces the list", () => {
  const visit = new Visit().comeIn();
  visit.tell({ type: "system", text: "", clients_count: 2, joined: [], left: [], users: ["Anna", "Clara"] });
  assert.deepEqual([visit.room.users, visit.room.count, visit.rows], [["Anna", "Clara"], 2, []]);
});

test("an event that no table has is deferred", () => {
  const visit = new Visit();
  const event = { type: "frame", frame: { type: "nonsense" }, now: 0 };
  visit.happen(event);
  assert.deepEqual(visit.effects.at(-1), { do: "defer", event });
});
