// The numbers that the page shares with the Python programs, which test_limits.py and tests/wire/test_close_codes.py hold to theirs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { TYPING_SHOWN_MS } from "../../besedka/client/chat/people/state.js";
import { DEFAULT_PORT, DEFAULT_ROOM, isKey, NO_RECONNECT_CODES, ROOM_CHARACTERS_AT_MOST } from "../../besedka/client/chat/protocol.js";
import { IN_FLIGHT_AT_MOST } from "../../besedka/client/chat/room.js";
import { ROOMS_AT_MOST } from "../../besedka/client/chat/rooms/state.js";
import { FIRST_WAIT_MS, LONGEST_WAIT_MS } from "../../besedka/client/chat/socket.js";
import { newState } from "../../besedka/client/chat/state.js";
import { vectors } from "./vectors.mjs";

const limits = vectors("limits");
const constant = (file, name) => {
  const source = readFileSync(new URL(`../../besedka/client/chat/${file}`, import.meta.url), "utf8");
  return Number(new RegExp(`${name} = ([\\d_]+);`).exec(source)[1].replaceAll("_", ""));
};

test("after the close codes that say so, and no others, the page does not reconnect", () => {
  const table = Object.entries(vectors("close_codes")).filter(([, { reconnect }]) => !reconnect);
  assert.deepEqual(NO_RECONNECT_CODES, Object.fromEntries(table.map(([name, { code }]) => [name, code])));
});

test("the limits are those of the server and the client library", () => {
  const ours = {
    default_port: DEFAULT_PORT,
    default_room: DEFAULT_ROOM,
    first_wait_seconds: FIRST_WAIT_MS / 1000,
    longest_wait_seconds: LONGEST_WAIT_MS / 1000,
    messages_in_flight: IN_FLIGHT_AT_MOST,
    reason_characters: constant("moderation/person.js", "REASON_CHARACTERS_AT_MOST"),
    room_characters: ROOM_CHARACTERS_AT_MOST,
    rooms_of_a_connection: ROOMS_AT_MOST,
    typing_shown_seconds: TYPING_SHOWN_MS / 1000,
  };
  const { key_characters_at_least: key, typing_relayed_every_seconds: relayed, ...others } = limits;
  assert.deepEqual(ours, others);
  assert.deepEqual([isKey("k".repeat(key)), isKey("k".repeat(key - 1))], [true, false]);
  assert.equal(newState().limits.room, ROOM_CHARACTERS_AT_MOST);
  const sent = constant("writing/typing.js", "TYPING_SENT_EVERY_MS") / 1000;
  assert.ok(relayed < sent && sent < limits.typing_shown_seconds, "typing is shown on without a gap");
});
