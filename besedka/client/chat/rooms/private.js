// Private and direct rooms. Pure.
// A direct room that somebody else has opened is a request until this user answers. Few of them are joined unopened; the list has all.

import { answered } from "../requests/state.js";
import { newRoom } from "../room.js";
import { join, joinAll, roomOf, send, withRoom } from "../state.js";
import { ROOMS_AT_MOST } from "./state.js";

export const REQUESTS_AT_MOST = 5; // joined unopened
const ROOMS_FREE = 20; // for rooms that the user opens

/** @type {Feature["frames"]} */
const frames = {
  /** A room was opened: at this user's request, or by the peer of a direct room. */
  place: (state, { room: name, kind, peer, key, asked }, { step, next: otherwise }) => {
    if (kind === "open") return otherwise();
    const [request, next] = answered(state, key);
    const known = roomOf(next, name);
    if (!request && !known && !mayJoin(next, asked)) return [next, [send({ type: "rooms" })]];
    const about = { kind, peer, asked };
    const room = known ? { ...known, ...about } : newRoom(name, request ? about : { ...about, readTo: 0, isNew: true });
    const hidden = next.hidden?.filter((other) => other !== name);
    const there = withRoom({ ...next, hidden }, room);
    if (!request) return join(there, name);
    const [opened, joined] = step(there, { type: "openRoom", name });
    const [said, sent] = request.say ? step(opened, { type: "say", name, ...request.say }) : [opened, []];
    return [said, [...joined, ...sent]];
  },

  /** Messages posted in a direct room before this user joined it are news. */
  history: (_, frame, { next }) => {
    const [after, effects] = next();
    const room = roomOf(after, frame.room);
    if (!room?.isNew) return [after, effects];
    const last = room.rows.findLast(({ id, own }) => id && !own);
    const { id = 0, user = "", text = "", isUnverified: unverified } = last ?? {};
    /** @type {Effect[]} */
    const received = last ? [{ do: "received", frame: { room: room.name, id, user, text, unverified } }] : [];
    return [withRoom(after, { ...room, isNew: false }), [...effects, ...received]];
  },

  /** Joins direct rooms that were opened while this user was away, except those that they have left. */
  rooms: (state, frame, { next }) => {
    const [after, effects] = next(frame.key ? state : { ...state, blocked: frame.blocked });
    const marked = frame.rooms.reduce(withMark, after);
    if (state.scene !== "chat" || !state.hidden) return [marked, effects];
    const { hidden, isNewDevice } = state;
    const isNew = (/** @type {Listed} */ { name, peer, blocked }) => peer && !blocked && !hidden.includes(name) && !roomOf(state, name);
    // The answered ones first, then the newest requests.
    const found = frame.rooms.filter(isNew).sort((one, other) => (other.asked || Infinity) - (one.asked || Infinity) || 0);
    const added = found.reduce(
      (to, { name, kind, peer, asked }) =>
        mayJoin(to, asked) ? withRoom(to, newRoom(name, { kind, peer, asked: Boolean(asked), readTo: isNewDevice ? -1 : 0 })) : to,
      marked,
    );
    const [joined, joins] = joinAll(added);
    return [joined, [...effects, ...joins]];
  },
};

/** @type {Feature} */
export const privateRooms = { frames };

/** Whether there is room for one more direct room that the user has not opened. @type {(state: State, asked?: boolean | number) => boolean} */
function mayJoin(state, asked) {
  const rooms = Object.values(state.rooms);
  const isFull = asked && rooms.filter((room) => room.asked).length >= REQUESTS_AT_MOST;
  return !isFull && rooms.length < ROOMS_AT_MOST - ROOMS_FREE;
}

/** Notes whether a room is still a request. @type {(state: State, listed: Listed) => State} */
function withMark(state, { name, asked }) {
  const room = roomOf(state, name);
  return room && Boolean(room.asked) !== Boolean(asked) ? withRoom(state, { ...room, asked: Boolean(asked) }) : state;
}
