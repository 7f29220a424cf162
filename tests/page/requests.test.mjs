// Requests and their answers: direct and private rooms, invitations, devices, moderation, refused connections.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Blocks, isBlocked } from "../../besedka/client/chat/app/blocks.js";
import { label, unread } from "../../besedka/client/chat/room.js";
import { Visit, texts } from "./visit.mjs";

const ask = (visit, frame, say) => visit.happen({ type: "request", frame, say });
const keyOf = (visit, type) => visit.sent(type).at(-1).key;
const names = ({ state }) => Object.keys(state.rooms);
const enters = (visit) => visit.sent("join").map(({ room }) => room);
const heard = ({ effects }) => effects.filter((effect) => effect.do === "received").map(({ frame }) => frame.id);
const refuse = (visit, code, more = {}) => visit.tell({ type: "error", code, text: `no: ${code}`, ...more });

test("a direct message opens a room with the name of the other person", () => {
  const visit = ask(new Visit().comeIn(), { type: "direct", user: "boris" }, { text: "psst", key: "k1" });
  visit.tell({ type: "place", room: "direct-0a", kind: "direct", peer: "Boris", key: keyOf(visit, "direct") });
  assert.deepEqual([visit.state.current, label(visit.room), enters(visit)], ["direct-0a", "Boris", ["main", "direct-0a"]]);
  assert.deepEqual(visit.sent("chat"), [], "not before one is in");
  visit.welcome({ kind: "direct", peer: "Boris" });
  assert.deepEqual(visit.sent("chat").map(({ room, text }) => [room, text]), [["direct-0a", "psst"]]);
});

test("a direct room opened by the peer is joined, unread and notified, without being shown", () => {
  const visit = new Visit().comeIn().tell({ type: "place", room: "direct-0a", kind: "direct", peer: "Boris" });
  assert.deepEqual([visit.state.current, enters(visit)], ["main", ["main", "direct-0a"]]);
  visit.welcome({ room: "direct-0a", head: 1, kind: "direct", peer: "Boris" });
  visit.tell({ type: "history", room: "direct-0a", first: 1, messages: ["[2025-01-01 10:00:00] Boris: psst"] });
  const talk = () => visit.state.rooms["direct-0a"];
  assert.deepEqual([unread(talk()), talk().mentions, heard(visit)], [1, 1, [1]]);
  visit.chat(2, "there?", { room: "direct-0a" });
  visit.tell({ type: "history", room: "direct-0a", first: 1, messages: ["[2025-01-01 10:00:00] Boris: psst"], before: 2 });
  assert.deepEqual([unread(talk()), talk().mentions, heard(visit)], [2, 2, [1, 2]]);
});

test("an unverified message of a direct room that the peer opened is reported as one", () => {
  for (const unverified of [[], [1]]) {
    const visit = new Visit().comeIn().tell({ type: "place", room: "direct-0a", kind: "direct", peer: "Boris" });
    visit.welcome({ room: "direct-0a", head: 1, kind: "direct", peer: "Boris" });
    visit.tell({ type: "history", room: "direct-0a", first: 1, messages: ["[2025-01-01 10:00:00] Boris: psst"], unverified });
    const received = visit.effects.filter((effect) => effect.do === "received");
    assert.deepEqual(received.map(({ frame }) => Boolean(frame.unverified)), [unverified.length > 0]);
  }
});

test("direct rooms opened meanwhile are joined from the list, except those the user has left", () => {
  const rooms = ["direct-0a", "direct-0b"].map((name) => ({ name, clients_count: 0, kind: "direct", peer: `peer of ${name}` }));
  const visit = new Visit().comeIn().happen({ type: "setPreferences", hidden: ["direct-0b"] }).tell({ type: "rooms", rooms });
  assert.deepEqual([names(visit), enters(visit)], [["main", "direct-0a"], ["main", "direct-0a"]]);
  visit.welcome({ room: "direct-0a", head: 3, kind: "direct", peer: "Boris" });
  assert.equal(unread(visit.state.rooms["direct-0a"]), 3);
  visit.happen({ type: "leaveRoom", name: "direct-0a" }).tell({ type: "rooms", rooms });
  assert.deepEqual([names(visit), visit.state.hidden], [["main"], ["direct-0b", "direct-0a"]]);
  visit.tell({ type: "place", room: "direct-0a", kind: "direct", peer: "Boris" });
  assert.deepEqual([names(visit), visit.state.hidden], [["main", "direct-0a"], ["direct-0b"]]);
  visit.happen({ type: "openRoom", name: "direct-0b" });
  assert.deepEqual([label(visit.room), visit.state.hidden], ["peer of direct-0b", []]);
});

test("a new private room is joined and shown", () => {
  const visit = ask(new Visit().comeIn(), { type: "private", room: "plans" });
  visit.tell({ type: "place", room: "plans", kind: "private", key: keyOf(visit, "private") }).welcome({ room: "plans", kind: "private", may: ["invite"] });
  assert.deepEqual([visit.state.current, label(visit.room), visit.room.may], ["plans", "plans", ["invite"]]);
});

test("an invitation goes along with one join only", () => {
  const visit = new Visit({ room: "plans" }).happen({ type: "invited", invite: "T" }).enter().happen({ type: "connected" });
  assert.equal(visit.sent("join")[0].invite, "T");
  visit.welcome({ kind: "private" }).lose().happen({ type: "connected" });
  assert.deepEqual(visit.sent("join").map(({ invite }) => invite), ["T", undefined]);
});

test("an invitation opened during the chat leads into its room", () => {
  const visit = new Visit().comeIn().happen({ type: "navigate", room: "plans", id: 0, invite: "T" });
  assert.deepEqual([visit.state.current, visit.sent("join").at(-1).invite], ["plans", "T"]);
  refuse(visit, "bad_link", { room: "plans" });
  assert.deepEqual([visit.state.scene, visit.state.current, visit.room.refusal.code], ["chat", "main", "bad_link"]);
});

test("a bad invitation or a refused room leads to the default room", () => {
  for (const code of ["bad_link", "not_invited"]) {
    const visit = new Visit({ room: "plans" }).enter().happen({ type: "connected" });
    refuse(visit, code, { room: "plans" });
    assert.deepEqual([names(visit), enters(visit)], [["main"], ["plans", "main"]]);
    visit.welcome();
    assert.deepEqual([visit.state.scene, visit.state.toast.code], ["chat", code]);
  }
});

test("a bad invitation to a name is reported at the login, and not tried again", () => {
  const visit = new Visit({ me: "Boris" }).happen({ type: "invited", invite: "T" }).enter("Boris").happen({ type: "connected" });
  refuse(visit, "bad_link");
  assert.deepEqual([visit.state.scene, visit.state.problem.code], ["login", "bad_link"]);
  visit.happen({ type: "dismiss" }).enter("Boris").happen({ type: "connected" });
  assert.deepEqual(visit.sent("join").map(({ invite }) => invite), ["T", undefined]);
});

test("a lost membership closes the room", () => {
  const visit = new Visit().comeIn().happen({ type: "openRoom", name: "plans" }).welcome({ room: "plans", kind: "private" });
  refuse(visit, "not_invited", { room: "plans" });
  assert.deepEqual([names(visit), visit.state.current, visit.room.refusal.code], [["main"], "main", "not_invited"]);
});

test("a room that was closed for people who have fewer is left, unless there are unsent messages, which stay", () => {
  const visit = () => new Visit().comeIn().happen({ type: "openRoom", name: "plans" }).welcome({ room: "plans" });
  const left = refuse(visit(), "too_many_rooms", { room: "plans", retry_after: 30 });
  assert.deepEqual([names(left), left.state.current, left.room.refusal.code], [["main"], "main", "too_many_rooms"]);
  const kept = visit().say("hello");
  refuse(kept, "too_many_rooms", { room: "plans", retry_after: 30 });
  assert.deepEqual([kept.room.name, kept.room.isJoined, kept.room.outbox.length, kept.room.refusal.code], ["plans", false, 1, "too_many_rooms"]);
});

test("a device link changes the identity before any join, and nothing private of the former user stays", () => {
  const rooms = { main: { readTo: 1, epoch: "e" }, plans: { readTo: 1, epoch: "e", kind: "private" } };
  const visit = new Visit({ name: "Dan", rooms }).happen({ type: "navigate", room: "", id: 0, device: "D", name: "Anna" });
  assert.deepEqual(visit.state.problem, { code: "device", token: "D", name: "Anna" });
  visit.happen({ type: "takeDevice" }).happen({ type: "connected" });
  assert.deepEqual(visit.sent().map(({ type, token }) => [type, token]), [["take_device", "D"]]);
  visit.tell({ type: "device", user: "Anna", secret: "hers", key: keyOf(visit, "take_device") });
  assert.deepEqual(visit.effects.at(-1), { do: "become", user: "Anna", secret: "hers" });
  assert.deepEqual([names(visit), visit.state.problem], [["main"], null]);
});

test("a device frame with another name than promised, or unrequested, is rejected", () => {
  const visit = new Visit().happen({ type: "navigate", room: "", device: "D", name: "Anna" }).happen({ type: "takeDevice" }).happen({ type: "connected" });
  visit.tell({ type: "device", user: "Mallory", secret: "his", key: keyOf(visit, "take_device") });
  const other = new Visit().comeIn().tell({ type: "device", user: "Mallory", secret: "his" });
  for (const { effects } of [visit, other]) assert.ok(!effects.some((effect) => effect.do === "become"));
  assert.equal(visit.state.problem.code, "bad_link");
});

test("a used device link is reported, and a declined one has no effect", () => {
  const visit = new Visit().happen({ type: "navigate", room: "", device: "D", name: "" }).happen({ type: "takeDevice" }).happen({ type: "connected" });
  refuse(visit, "bad_link", { key: keyOf(visit, "take_device") });
  assert.equal(visit.state.problem.code, "bad_link");
  visit.happen({ type: "navigate", room: "", device: "E", name: "" }).happen({ type: "dismiss" }).enter("Eva").happen({ type: "connected" });
  assert.deepEqual(visit.sent().at(-1).type, "join");
});

test("a device link lasts as long as the server says", () => {
  const visit = ask(new Visit().comeIn(), { type: "add_device" });
  visit.now = 1000;
  visit.tell({ type: "device_link", token: "D", user: "Anna", seconds: 300, key: keyOf(visit, "add_device") });
  assert.deepEqual(visit.state.deviceLink, { token: "D", user: "Anna", until: 301_000 });
  ask(visit, { type: "add_device" });
  assert.equal(visit.state.deviceLink, null, "the old one is not shown for the new one");
});

test("answers and refusals of requests become toasts, and touch no message", () => {
  const visit = ask(new Visit().comeIn(), { type: "moderate", act: "kick", user: "Eva" });
  visit.tell({ type: "done", text: "Eva was disconnected", key: keyOf(visit, "moderate") });
  assert.deepEqual(visit.state.toast, { text: "Eva was disconnected" });
  ask(visit, { type: "moderate", act: "kick", user: "Nobody" });
  refuse(visit, "no_such_name", { key: keyOf(visit, "moderate") });
  assert.deepEqual([visit.state.toast.code, visit.room.refusal], ["no_such_name", null]);
  ask(visit, { type: "invite", room: "main" }).lose();
  assert.deepEqual([visit.state.toast.code, visit.state.pending], ["away", {}]);
  const count = visit.sent().length;
  ask(visit, { type: "invite", room: "main" });
  assert.equal(visit.sent().length, count, "without a connection nothing is asked");
});

test("a request key may be a property name of JavaScript", () => {
  for (const key of ["__proto__", "constructor", "toString", undefined]) {
    const visit = new Visit().comeIn().tell({ type: "done", text: "x", key }).tell({ type: "error", code: "c", text: "y", key });
    assert.equal(visit.state.scene, "chat");
  }
});

test("a redaction shows in the log and in search hits", () => {
  const visit = new Visit().comeIn({ head: 2 }).history(1, 2).happen({ type: "search", text: "message" });
  visit.tell({ type: "found", text: "message", ids: [2], messages: ["[2025-01-01 10:00:00] Boris: message 2"], before: 0, key: "search-1" });
  visit.tell({ type: "redacted", id: 2, text: "[removed]" });
  assert.deepEqual([texts(visit.rows), visit.rows.map(({ isRemoved }) => Boolean(isRemoved))], [["message 1", "[removed]"], [false, true]]);
  assert.deepEqual(visit.state.search.hits.map(({ text, isRemoved }) => [text, isRemoved]), [["[removed]", true]]);
  visit.tell({ type: "redacted", room: "elsewhere", id: 1, text: "[removed]" });
});

test("unverified names are marked live, in history and in search hits, but never the user's own", () => {
  const visit = new Visit().comeIn({ head: 2 }).history(1, 2, { unverified: [2] });
  visit.chat(3, "x", { unverified: true }).chat(4, "x").chat(5, "x", { user: "Anna", unverified: true });
  assert.deepEqual(visit.rows.map(({ isUnverified }) => Boolean(isUnverified)), [false, true, true, false, false]);
  visit.happen({ type: "search", text: "x" });
  const lines = ["Boris", "Anna"].map((name) => `[2025-01-01 10:00:00] ${name}: x`);
  visit.tell({ type: "found", text: "x", ids: [3, 5], messages: lines, before: 0, key: "search-1", unverified: [3, 5] });
  assert.deepEqual(visit.state.search.hits.map(({ isUnverified }) => isUnverified), [true, false]);
});

test("a refused connection is explained, and does not reconnect", () => {
  for (const [code, problem] of Object.entries({ 4003: "no_access", 4004: "kicked", 4005: "banned", 4006: "not_known" })) {
    const visit = new Visit().comeIn().happen({ type: "connectionRefused", code: Number(code) });
    assert.deepEqual([visit.state.scene, visit.state.connection, visit.state.problem], ["login", "closed", { code: problem, text: "" }]);
  }
  const banned = refuse(new Visit().comeIn(), "banned").happen({ type: "connectionRefused", code: 4005 });
  assert.equal(banned.state.problem.text, "no: banned");
  const atOnce = refuse(new Visit().enter().happen({ type: "connected" }), "banned").happen({ type: "connectionRefused", code: 4005 });
  assert.equal(atOnce.state.problem.text, "no: banned");
});

test("the reason of a kick is kept for the login, and shown nowhere else", () => {
  const visit = new Visit().comeIn().tell({ type: "error", code: "not_allowed", text: "you were disconnected by a moderator: spam", room: undefined });
  assert.equal(visit.room.refusal, null);
  visit.happen({ type: "connectionRefused", code: 4004 });
  assert.deepEqual(visit.state.problem, { code: "kicked", text: "you were disconnected by a moderator: spam" });
});

test("changed rights apply at once with a toast; those of unknown rooms are ignored", () => {
  const visit = new Visit().comeIn().tell({ type: "rights", may: ["moderate"] });
  assert.deepEqual([visit.room.may, visit.state.toast], [["moderate"], { word: "isModerator" }]);
  visit.happen({ type: "toast", toast: null }).tell({ type: "rights", may: ["invite", "moderate"] });
  assert.deepEqual([visit.room.may, visit.state.toast], [["invite", "moderate"], null], "that is no news");
  visit.tell({ type: "rights", may: [] }).tell({ type: "rights", room: "elsewhere", may: ["moderate"] });
  assert.deepEqual([visit.room.may, visit.state.toast], [[], { word: "isNoModerator" }]);
});

test("a refused room is named, unless it is a direct room", () => {
  const told = (name) => {
    const visit = new Visit().comeIn().happen({ type: "openRoom", name });
    return refuse(visit, "not_invited", { room: name }).room.refusal.where;
  };
  assert.deepEqual(["plans", "direct-0a"].map(told), ["# plans", ""]);
});

test("the missing access key continues the login", () => {
  const visit = new Visit({ name: "Anna" }).enter().happen({ type: "connected" }).happen({ type: "connectionRefused", code: 4003 });
  visit.happen({ type: "navigate", room: "dev", id: 0, key: "K" });
  assert.deepEqual([visit.effects.at(-1), visit.state.busy, visit.state.current], [{ do: "connect" }, true, "dev"]);
  const stranger = new Visit().happen({ type: "navigate", room: "", id: 7, key: "K" });
  assert.deepEqual([stranger.state.scene, stranger.state.busy, stranger.room.target], ["login", false, 7]);
});

test("an invitation to a name logs out, and fills that name in", () => {
  const visit = new Visit().comeIn().happen({ type: "navigate", room: "", id: 0, name: "Boris", invite: "T" });
  assert.deepEqual([visit.state.scene, visit.state.me, visit.effects.at(-1)], ["login", "Boris", { do: "disconnect" }]);
  visit.enter("Boris").happen({ type: "connected" });
  assert.deepEqual(visit.sent("join").at(-1), { type: "join", room: "main", user: "Boris", secret: "s", invite: "T" });
});

const requested = (count) => Array.from({ length: count }, (_, number) => ({ name: `direct-${number}`, clients_count: 0, kind: "direct", peer: `P${number}`, asked: number + 1 }));
const withHidden = () => new Visit().comeIn().happen({ type: "setPreferences", hidden: [] });

test("of the direct rooms in which the user has not answered the five newest are joined, and all are listed", () => {
  const rooms = [{ name: "direct-a", clients_count: 0, kind: "direct", peer: "Boris" }, ...requested(50)];
  const visit = withHidden().tell({ type: "rooms", rooms });
  assert.deepEqual(names(visit), ["main", "direct-a", ...[49, 48, 47, 46, 45].map((number) => `direct-${number}`)]);
  assert.equal(visit.state.listed.length, 51);
  // A sixth is listed, and joined when it is opened.
  visit.tell({ type: "place", room: "direct-x", kind: "direct", peer: "Eve", asked: true });
  assert.equal(names(visit).length, 7);
  assert.equal(visit.sent("rooms").length, 1);
  visit.happen({ type: "openRoom", name: "direct-3" });
  assert.deepEqual([visit.state.current, label(visit.room), enters(visit).at(-1)], ["direct-3", "P3", "direct-3"]);
  // One in which the user has answered is joined whenever the other opens it.
  visit.tell({ type: "place", room: "direct-y", kind: "direct", peer: "Vera" });
  assert.equal(enters(visit).at(-1), "direct-y");
});

test("an answered request makes way for another one", () => {
  const rooms = requested(7);
  const visit = withHidden().tell({ type: "rooms", rooms });
  assert.deepEqual(names(visit).length, 6);
  visit.tell({ type: "rooms", rooms: rooms.map((room) => (room.asked === 7 ? { ...room, asked: 0 } : room)) });
  assert.deepEqual(names(visit).length, 7);
});

test("direct rooms leave some of the connection's rooms to the user, and those of blocked people are not joined", () => {
  // The first was blocked under another name.
  const rooms = requested(120).map((room, number) => ({ ...room, asked: 0, ...(number < 2 && { blocked: true }) }));
  const visit = withHidden().tell({ type: "rooms", rooms, blocked: ["Bobby", "P1"] });
  assert.equal(names(visit).length, 80);
  assert.ok(!names(visit).includes("direct-0"));
  assert.ok(!names(visit).includes("direct-1"));
  assert.deepEqual(visit.state.blocked, ["Bobby", "P1"]);
  assert.deepEqual(["P0", "P1", "P2"].map((name) => isBlocked(visit.state, name)), [true, true, false]);
  // A further page of the list says nothing of them.
  visit.tell({ type: "rooms", rooms: [], key: "more" });
  assert.deepEqual(visit.state.blocked, ["Bobby", "P1"]);
  for (let number = 0; number < 30; number += 1) visit.happen({ type: "openRoom", name: `mine${number}` });
  assert.equal(names(visit).length, 100);
});

test("a new block ends the direct room with the person, under whatever name, and a room that is opened all the same stays", () => {
  const [first, second] = requested(2).map((room) => ({ ...room, asked: 0 }));
  const visit = withHidden().tell({ type: "rooms", rooms: [first, second] });
  const blocks = new Blocks();
  assert.deepEqual(blocks.ended(visit.state), []);
  visit.tell({ type: "rooms", rooms: [{ ...first, blocked: true }, second], blocked: ["Bobby"] });
  assert.deepEqual(blocks.ended(visit.state), ["direct-0"]);
  assert.deepEqual(blocks.ended(visit.state), []);
  visit.tell({ type: "rooms", rooms: [{ ...first, blocked: true }, { ...second, blocked: true }] });
  assert.deepEqual(blocks.ended(visit.state), ["direct-1"]);
  // What the first list marks was blocked before.
  assert.deepEqual(new Blocks().ended(visit.state), []);
});
