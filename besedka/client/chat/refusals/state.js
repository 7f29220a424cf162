// Refusals: at the login, of a room, of a message. Pure.

import { DEFAULT_ROOM } from "../protocol.js";
import { away, sendWaiting, unsent, without } from "../room.js";
import { here, mapValues, roomOf, withRoom } from "../state.js";

const HELD = /^(too_fast|out_of_reach)$/; // all messages are sent again in a moment

/** @type {Feature["events"]} */
const events = {
  refused: (state, { name, frame }) => {
    const room = roomOf(state, name);
    if (!room) return [state, []];
    const [next, frames] = refused(room, frame);
    /** @type {Effect[]} */
    const sent = frames.map((frame) => ({ do: "send", frame }));
    const { code, key, retry_after: seconds = 0 } = frame;
    const isFirst = HELD.test(code) && key && !room.isThrottled;
    return [withRoom(state, next), isFirst ? [...sent, { do: "schedule", seconds, event: { type: "resend", name: room.name } }] : sent];
  },
};

/** @type {Feature["frames"]} */
const frames = {
  error: (state, frame, { step, now }) => {
    const { code, text, key } = frame;
    const refusal = { code, text };
    const { name, isJoining } = roomOf(state, frame.room) ?? here(state);
    if (!isJoining || key) return step(state, { type: "refused", name, frame: { ...frame, type: "error" }, now });
    // Leaves a room that refuses, if there is another one; asks for another name if the name is refused.
    const isRoom = name === DEFAULT_ROOM ? code.includes("room") && Object.keys(state.rooms)[1] : /room|invite|link/.test(code);
    return isRoom ? step(state, { type: "leaveRoom", name, refusal }) : [toLogin(state, refusal), []];
  },
};

/** @type {Feature["roomEvents"]} */
const roomEvents = {
  /** Posts a refused message again. */
  retry: (room, { key }) => {
    const row = room.rows.find((row) => row.key === key && row.status === "failed");
    if (!row) return [room, []];
    const rest = without(room, key);
    /** @type {Row} */
    const again = { kind: "message", key, user: row.user, text: row.text, own: true, status: "waiting" };
    const message = { key, text: row.text, after: room.lastId };
    return sendWaiting({ ...rest, refusal: null, outbox: [...rest.outbox, message], rows: [...rest.rows, again] });
  },

  /** Drops a message: discarded, or delivered in another tab. */
  discard: (room, { key }) => [without({ ...room, refusal: null }, key), []],

  /** Sends the messages that were refused as too fast. */
  resend: (room) => (room.isThrottled ? sendWaiting({ ...room, isThrottled: false, refusal: null }) : [room, []]),

  showRefusal: (room, { refusal }) => [{ ...room, refusal }, []],
  clearRefusal: (room) => [{ ...room, refusal: null }, []],
};

/** @type {Feature} */
export const refusals = { events, frames, roomEvents };

/** @type {(state: State, problem: Problem | null) => State} */
export const toLogin = (state, problem) => ({ ...state, rooms: mapValues(state.rooms, away), scene: "login", busy: false, problem });

/** @type {(room: Room, frame: ServerFrames["error"]) => RoomChange} */
function refused(room, { code, text, key, retry_after: wait }) {
  const refusal = { code, text, wait };
  const next = { ...room, refusal };
  // The outbox keeps all messages in order; until then the server refuses everything.
  if (key && HELD.test(code)) return [{ ...next, outbox: unsent(room), isThrottled: true }, []];
  // The server stops after these codes: the message waits, and is resent to its successor.
  if (!key || code === "not_stored" || code === "going_down") return [{ ...next, fetching: null }, []];
  const outbox = room.outbox.filter((message) => message.key !== key);
  /** @type {Row[]} */
  const rows = room.rows.map((row) => (row.key === key ? { ...row, status: "failed", refusal } : row));
  const isShown = rows.some((row) => row.key === key);
  return sendWaiting({ ...next, refusal: { ...refusal, isShown }, outbox, rows });
}
