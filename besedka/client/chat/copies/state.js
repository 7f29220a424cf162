// The last messages of open rooms, copied to this device for reading while the server cannot be reached. Pure.
//
// A row from a copy has the status "kept", and precedes all others. The server has said nothing of it yet: neither the ids of the room nor
// its numbers count it, and the room is joined as one without rows. The log's own rows take its place.

import { mentions, readLine } from "../protocol.js";
import { called, fetchPage, PAGE_MESSAGES } from "../reading/state.js";
import { roomOf, send, withRoom } from "../state.js";

export const COPIED_AT_MOST = PAGE_MESSAGES; // messages of a room: one page proves all of them
export const COPY_BYTES_AT_MOST = 65_536;

/** @type {Feature["events"]} */
const events = {
  /** Shows copies, in rooms of which the server has said nothing. */
  showCopies: (state, { copies }) => [copies.reduce(withCopy, state), []],

  /** A room that refuses the user, and stays for what is unsent, is no longer theirs to copy. */
  leaveRoom: (_, { name = "", refusal }, { next }) => {
    const [after, effects] = next();
    const room = refusal && roomOf(after, name);
    return [room ? withRoom(after, { ...withoutKept(room), provenFrom: Infinity }) : after, effects];
  },
};

/** @type {Feature["frames"]} */
const frames = {
  /** In the room on the screen the kept rows stay until the log's own are here, so that nothing flickers. */
  welcome: (state, frame, { next }) => {
    const { room: name, head, kind } = frame;
    const room = roomOf(state, name);
    if (!room || !hasKept(room)) return next();
    const isOver = !head || kind || name !== state.current || room.target !== null;
    const shown = isOver ? withoutKept(room) : room;
    const [after, effects] = next(withRoom(state, { ...shown, mentions: room.endId ? room.mentions : 0 }));
    return after.rooms[name].endId ? fetchInPlaceOfKept(after, effects, name) : [after, effects];
  },

  history: (state, frame, { next }) => {
    const { room: name, first } = frame;
    const room = roomOf(state, name);
    if (!room || !hasKept(room)) return next();
    const above = room.rows.filter((row) => isKept(row) && (row.id ?? 0) < first);
    // Whoever is at the end goes on with the new messages; whoever reads further up stays where they are.
    const stays = name === state.current && (above.at(-1)?.id === first - 1 || !room.isFollowing);
    const shown = stays ? above : [];
    const mentions = room.mentions + (room.endId ? 0 : called({ rows: shown }, room.readTo, first));
    const [after, effects] = next(withRoom(state, { ...room, mentions, rows: [...shown, ...withoutKept(room).rows] }));
    return fetchInPlaceOfKept(after, effects, name);
  },

  page: (state, frame, { next }) => {
    const room = roomOf(state, frame.room);
    if (!room) return next();
    const { fetching } = room;
    const isProof = fetching?.what === "again" && fetching.before === frame.before;
    return next(withRoom(state, isProof ? { ...proven(room, frame), fetching: null } : withoutKept(room)));
  },

  redacted: (_, { room: name }, { next }) => {
    const [after, effects] = next();
    return [after, [...effects, { do: "renewCopy", name }]];
  },
};

/** @type {Feature["roomEvents"]} */
const roomEvents = {
  /** Fetches rows again that were here before a reconnect: the server does not say what was redacted meanwhile. */
  proveRows: (room) => fetchPage(room, "again", room.provenFrom),
};

/** @type {Feature} */
export const copying = { events, frames, roomEvents };

/**
 * The last messages of a room that may be copied; null if there are none, or only a part of the log further up is here. Of private rooms
 * and direct messages there is no copy. @type {(room: Room) => Pick<Copy, "room" | "epoch" | "messages"> | null}
 */
export function copyOf({ name, epoch, kind, rows, isAtEnd, provenFrom }) {
  if (kind || !isAtEnd) return null;
  const last = rows.filter(({ id = 0, status }) => id && id >= provenFrom && status === "delivered").slice(-COPIED_AT_MOST);
  let bytes = 0;
  /** @type {CopiedMessage[]} */
  const messages = [];
  for (const { id = 0, user = "", text, day, time, isUnverified, isRemoved } of last.reverse()) {
    const message = { id, user, text, day, time, ...(isUnverified && { isUnverified }), ...(isRemoved && { isRemoved }) };
    bytes += new TextEncoder().encode(JSON.stringify(message)).length;
    if (bytes > COPY_BYTES_AT_MOST) break;
    messages.unshift(message);
  }
  return messages.length ? { room: name, epoch, messages } : null;
}

/** Whether rows that a copy would have must be fetched again first. @type {(room: Room) => boolean} */
export const needsProof = ({ isJoined, isAtEnd, fetching, kind, provenFrom, firstId, endId }) =>
  isJoined && isAtEnd && !fetching && !kind && provenFrom > Math.max(firstId, endId - COPIED_AT_MOST + 1);

/** @type {(row: Row) => boolean} */
const isKept = ({ status }) => status === "kept";

/** Whether some rows of a room are from a copy. @type {(room: Room) => boolean} */
export const hasKept = ({ rows }) => rows.length > 0 && isKept(rows[0]);

/** @type {RoomEdit} */
const withoutKept = (room) => (hasKept(room) ? { ...room, rows: room.rows.filter((row) => !isKept(row)) } : room);

/** @type {(state: State, copy: Copy) => State} */
function withCopy(state, { room: name, epoch, messages }) {
  const room = roomOf(state, name);
  if (!room || room.kind || room.isJoined || room.endId || hasKept(room)) return state;
  const { me } = state;
  const kept = messages.map((message) => {
    const own = message.user === me;
    /** @type {Row} */
    const row = { kind: "message", ...message, own, mentioned: !own && mentions(message.text, me), old: true, status: "kept" };
    return row;
  });
  // A read position in another log means nothing in this one.
  const known = room.epoch === epoch ? room : { ...room, epoch, readTo: -1, rewinds: 0, markedId: 0 };
  return withRoom(state, { ...known, rows: [...kept, ...room.rows] });
}

/** @type {(state: State, effects: Effect[], name: string) => Change} */
function fetchInPlaceOfKept(state, effects, name) {
  const room = state.rooms[name];
  const last = room.rows.findLast(isKept)?.id;
  if (!last) return [state, effects];
  const isNext = last === room.firstId - 1;
  const [next, sent] = isNext ? fetchPage(room, "older", room.firstId) : fetchPage(room, "around", last + 1);
  return [withRoom(state, next), [...effects, ...sent.map(send)]];
}

/** The rows of a page are as the log has them: what differs was redacted. @type {(room: Room, page: ServerFrames["history"]) => Room} */
function proven(room, { first, messages }) {
  if (!messages.length) return room;
  const rows = room.rows.map((row) => {
    const raw = messages[(row.id ?? 0) - first];
    if (raw === undefined) return row;
    const { text } = readLine(raw);
    return text === row.text ? row : { ...row, text, isRemoved: true, mentioned: false };
  });
  return { ...room, rows, provenFrom: first };
}
