// More rooms than one: going from one to another, leaving one or all. Pure.

import { roomName } from "./protocol.js";
import { come } from "./reading.js";
import { acts, begin as beginRoom } from "./room.js";
import { begin, frames, handlers, joinAll, joinOne, mapValues, send, step, withRoom } from "./state.js";

const ROOMS_AT_MOST = 100; // of one connection, says the server

Object.assign(handlers, {
  /** Look at a room, and be in it. */
  go: (state, { name: given }) => {
    const name = roomName(given);
    if (!name) return refuse(state, { code: "bad_room" });
    const known = state.rooms[name];
    if (!known && Object.keys(state.rooms).length >= ROOMS_AT_MOST) return refuse(state, { code: "too_many_rooms" });
    if (name === state.current) return [state, []];
    const next = withRoom(state, come(known ?? beginRoom(name)));
    return joinOne({ ...next, current: name, search: null }, name);
  },

  /** Be in a room no more, if one wants, or is not let in. The last one stays. */
  quit: (state, { name, refusal }) => {
    const { [name]: gone, ...rooms } = state.rooms;
    const [last] = Object.keys(rooms).slice(-1);
    if (!gone || !last) return [state, []];
    const current = name === state.current ? last : state.current;
    if (refusal && gone.outbox.length) return [withRoom(state, { ...gone, isJoining: false, refusal }), []];
    const [next, effects] = joinAll({ ...state, rooms, current });
    if (refusal) return [refuse(next, refusal)[0], effects];
    return [next, gone.isIn ? [...effects, send({ type: "leave", room: name })] : effects];
  },

  /** Back to the login. */
  leave: ({ current, me, rooms, permission, sound }) => {
    const [next] = handlers.start({ ...begin(current), permission, sound }, { name: me, rooms: mapValues(rooms, lasting) });
    return [next, [{ do: "disconnect" }]];
  },

  /** A room that was asked for is another one to the server, which has its own way with capitals. */
  renamed: (state, { frame, now }) => {
    const isAsked = ({ name, isJoining }) => isJoining && (name === state.current || !state.rooms[state.current].isJoining);
    const asked = Object.values(state.rooms).find(isAsked);
    if (!asked) return [state, []];
    const { [asked.name]: _, ...others } = state.rooms;
    const rooms = { ...others, [frame.room]: { ...asked, name: frame.room } };
    const current = asked.name === state.current ? frame.room : state.current;
    return step({ ...state, rooms, current }, { type: "frame", frame, now });
  },

  listRooms: (state) => [state, state.connection === "open" ? [send({ type: "rooms" })] : []],

  /** What the browser allows, or a person wants: {permission} or {sound}. */
  set: (state, { type, ...change }) => [{ ...state, ...change }, []],
});

/** What is known of a room beyond a visit. */
export function lasting({ readTo, epoch, notice }) {
  return { readTo, epoch, notice };
}

frames.rooms = (state, frame) => [{ ...state, listed: frame.rooms }, []];

/** Which messages notify. */
acts.notice = (room, { which }) => [{ ...room, notice: which }, []];

function refuse(state, refusal) {
  return step(state, { type: "refuse", refusal });
}
