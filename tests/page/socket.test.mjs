// The connection, on a fake network and a fake clock.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Socket } from "../../besedka/client/chat/socket.js";
import { Clock } from "./clock.mjs";

class FakeWebSocket {
  static OPEN = 1;
  static made = [];

  readyState = 0;
  sent = [];
  closedWith = null;

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    FakeWebSocket.made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  tell(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  end(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

const { random } = Math;
let clock;
let told;
let socket;
let key;
let policy;
const newest = () => FakeWebSocket.made.at(-1);
const count = () => FakeWebSocket.made.length;

beforeEach(() => {
  clock = new Clock().start();
  Math.random = random;
  FakeWebSocket.made = [];
  globalThis.WebSocket = FakeWebSocket;
  globalThis.addEventListener = (type, listener) => (policy = listener);
  told = [];
  key = "";
  const tell = (name) => (value) => told.push(value === undefined ? [name] : [name, value]);
  socket = new Socket(["ws://a/ws", "ws://b/ws"], "en", { frame: tell("frame"), open: tell("open"), closed: tell("closed"), refused: tell("refused"), key: () => key });
});

afterEach(() => {
  clock.stop();
  Math.random = random;
});

function connected() {
  socket.open();
  newest().open();
  newest().tell({ type: "welcome" });
  told = [];
  return newest();
}

test("the addresses are tried in turn until one answers, and then only that one", () => {
  socket.open();
  newest().end();
  assert.deepEqual(told, [["closed", 0]]);
  clock.tick(0);
  assert.equal(newest().url, "ws://b/ws");
  newest().open();
  newest().end();
  clock.tick(1000);
  assert.deepEqual([count(), newest().url, socket.url], [3, "ws://b/ws", "ws://b/ws"]);
});

test("an address that the content policy forbids is not tried again", () => {
  socket.open();
  newest().end();
  clock.tick(0);
  policy({ effectiveDirective: "connect-src" });
  assert.equal(socket.url, "ws://a/ws");
  clock.tick(1000);
  assert.deepEqual([count(), newest().url], [3, "ws://a/ws"]);
});

test("an address at which the browser throws is left if the content policy is the reason, and else tried again", () => {
  socket.open();
  newest().end();
  globalThis.WebSocket = class {
    constructor() {
      throw new Error("NS_ERROR_CONTENT_BLOCKED");
    }
  };
  clock.tick(0);
  globalThis.WebSocket = FakeWebSocket;
  assert.equal(count(), 1);
  clock.tick(10_000);
  clock.tick(1000);
  assert.deepEqual([count(), newest().url], [2, "ws://a/ws"]);
  newest().end();
  policy({ effectiveDirective: "connect-src" });
  assert.equal(socket.url, "ws://a/ws");
});

test("frames are delivered, and sent while there is a connection", () => {
  const connection = connected();
  connection.tell({ type: "chat" });
  socket.send({ type: "typing" });
  connection.readyState = 2;
  socket.send({ type: "typing" });
  assert.deepEqual([told, connection.sent], [[["frame", { type: "chat" }]], [{ type: "typing" }]]);
});

test("the waits grow up to 15 seconds, with jitter", () => {
  Math.random = () => 1;
  connected().end();
  const waits = [];
  for (let round = 0; round < 7; round += 1) {
    const [, wait] = told.at(-1);
    waits.push(wait);
    clock.tick(wait * 1000);
    newest().end();
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 15, 15, 15]);
  Math.random = () => 0;
  clock.tick(15_000);
  newest().end();
  assert.equal(told.at(-1)[1], 1.5);
});

test("a connection that opens and stays silent does not reset the backoff", () => {
  Math.random = () => 1;
  connected().end();
  clock.tick(1000);
  newest().open();
  newest().end();
  assert.equal(told.at(-1)[1], 2);
});

test("waking connects at once", () => {
  connected().end();
  socket.wake();
  assert.equal(count(), 2);
  socket.wake();
  clock.tick(5000);
  assert.equal(count(), 2, "one at a time");
});

test("a connection that does not open is given up after 10 seconds", () => {
  socket.open();
  const swallowed = newest();
  clock.tick(10_000);
  assert.deepEqual([told, swallowed.closedWith], [[["closed", 0]], 1000]);
  clock.tick(0);
  assert.equal(count(), 2);
  swallowed.end();
  assert.equal(told.length, 1, "it is nobody's any more");
});

test("a connection that opens after it was given up is not taken for the one that took its place", () => {
  socket.open();
  const late = newest();
  clock.tick(10_000);
  clock.tick(0);
  told = [];
  late.open();
  assert.deepEqual(told, []);
  clock.tick(10_000);
  assert.equal(told[0]?.[0], "closed", "the other one is still waited for");
});

test("waking finds a dead connection within seconds", () => {
  const dead = connected();
  clock.tick(60_000);
  socket.wake();
  assert.deepEqual(dead.sent, [{ type: "rooms" }]);
  clock.tick(3000);
  assert.equal(told[0][0], "closed");
  clock.tick(1000);
  assert.equal(count(), 2);
  dead.tell({ type: "chat" });
  assert.equal(told.length, 1);
});

test("waking leaves a live connection alone", () => {
  const connection = connected();
  socket.wake();
  assert.deepEqual(connection.sent, [], "it was just heard");
  clock.tick(60_000);
  socket.wake();
  connection.tell({ type: "rooms", rooms: [] });
  clock.tick(60_000);
  assert.deepEqual([told.map(([name]) => name), count()], [["frame"], 1]);
});

test("a set clock breaks nothing", () => {
  for (const ms of [-3_600_000, 3_600_000]) {
    const connection = connected();
    const before = told.length;
    clock.set(ms);
    socket.wake();
    connection.tell({ type: "rooms", rooms: [] });
    clock.tick(60_000);
    assert.deepEqual(told.slice(before).map(([name]) => name), ["frame"], "it was only asked");
    connection.sent.length = 0;
    clock.set(ms);
    socket.wake();
    assert.deepEqual(connection.sent, [{ type: "rooms" }], "one that may have died is asked");
    socket.close();
  }
});

test("after final close codes it does not reconnect", () => {
  for (const code of [1000, 1002, 1007, 1009]) {
    connected().end(code);
    clock.tick(60_000);
    socket.wake();
    assert.deepEqual([told, FakeWebSocket.made.at(-1).readyState], [[["refused", code]], 3]);
  }
});

test("a closed socket stays closed", () => {
  const connection = connected();
  socket.close();
  assert.equal(connection.closedWith, 1000);
  connection.end(1000);
  socket.wake();
  clock.tick(60_000);
  assert.deepEqual([told, count()], [[], 1]);
});

test("the access key goes along as a subprotocol, and only where there is one", () => {
  socket.open();
  assert.deepEqual(newest().protocols, ["besedka", "besedka.lang.en"]);
  socket.close();
  key = "abc-_9";
  socket.open();
  assert.deepEqual(newest().protocols, ["besedka", "besedka.lang.en", "besedka.key.abc-_9"]);
});
