import assert from "node:assert/strict";
import { test } from "node:test";

import { mentions, fragmentOf, readLine, readFragment, roomName, socketUrls } from "../../besedka/client/chat/protocol.js";
import { toLogLine } from "../../besedka/client/chat/messages/log_line.js";
import { vectors } from "./vectors.mjs";

test("log lines are read as Python reads them", () => {
  for (const { raw, user, text, day, time } of vectors("lines")) assert.deepEqual(readLine(raw), { user, text, day, time });
});

test("a log line survives reading and writing", () => {
  const raw = "[2025-11-19 23:46:36] Anna: first\n\tsecond\n\t\n\t\tindented";
  assert.equal(toLogLine(readLine(raw)), raw);
  assert.equal(toLogLine(readLine("by hand")), "by hand");
});

test("a copied line of an unverified name says so", () => {
  const line = { ...readLine("[2025-11-19 23:46:36] Anna: first\n\tsecond"), isUnverified: true };
  assert.equal(toLogLine(line), "[2025-11-19 23:46:36] Anna?: first\n\tsecond");
});

test("names are found in texts as Python finds them", () => {
  for (const { text, name, is } of vectors("mentions")) assert.equal(mentions(text, name), is, `${name} in ${text}`);
});

test("mentions ignore case", () => {
  assert.ok(mentions("GRÜSSE AN STRASSE", "Straße"));
  assert.ok(mentions("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"));
});

test("a room's name is made as the server makes it", () => {
  const cases = { " Dev ": "dev", "#dev": "dev", "Кухня": "кухня", "ａｂｃ": "abc", "Straße": "strasse", "a-b_c": "a-b_c", "ΟΔΟΣ": "οδοσ", "և": "եւ" };
  for (const [given, name] of Object.entries(cases)) assert.equal(roomName(given), name);
  for (const given of ["", "#", "a b", "-a", "a_", "a/b", "..", "a".repeat(33), "🙂", "हिन्दी"]) assert.equal(roomName(given), "");
  assert.equal(roomName("𝒶".repeat(32)), "a".repeat(32));
});

test("an address names a room, a message and tokens, as Python reads it", () => {
  const nothing = { key: "", invite: "", name: "", device: "" };
  for (const { fragment, ...said } of vectors("links")) {
    for (const hash of [fragment, `#${fragment}`]) assert.deepEqual(readFragment(hash), { ...nothing, ...said }, hash);
  }
  assert.deepEqual(readFragment(fragmentOf("кухня", 3)), { ...nothing, room: "кухня", id: 3 });
  for (const hash of ["", "#", "#%", "#/17"]) assert.equal(readFragment(hash).room, "");
  for (const hash of ["#dev;color=red", "#dev;key", "#dev;__proto__=x"]) assert.deepEqual(readFragment(hash), { ...nothing, room: "dev", id: 0 });
  for (const hash of ["#dev/", "#dev/0", "#dev/-1", "#dev/1e3", "#dev/x", `#dev/${"9".repeat(16)}`]) assert.equal(readFragment(hash).id, 0);
  assert.equal(fragmentOf("dev"), "#dev");
});

test("the chat is expected beside the page, then on the default port", () => {
  const urls = (href) => socketUrls(new URL(href));
  assert.deepEqual(urls("http://localhost:8765/"), ["ws://localhost:8765/ws", "ws://localhost:8765/ws"]);
  assert.deepEqual(urls("http://lab:8080/?a=b#dev"), ["ws://lab:8080/ws", "ws://lab:8765/ws"]);
  assert.deepEqual(urls("https://chat.example/talk/"), ["wss://chat.example/talk/ws", "wss://chat.example:8765/ws"]);
});
