// More rooms than one: going from one to another, leaving one or all. Pure.

import { roomName } from "./protocol.js";
import { come } from "./reading.js";
import { acts, begin as beginRoom, renewed } from "./room.js";
import { begin, frames, handlers, joinAll, joinOne, mapValues, roomOf, send, step, toLogin, withRoom } from "./state.js";

const ROOMS_AT_MOST = 100; // of one connection, says the server

Object.assign(handlers, {
  /** Look at a room, and be in it. */
  go: (state, { name: given }) => {
    const name = roomName(given);
    if (!name) return refuse(state, { code: "bad_room" });
    const known = roomOf(state, name);
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
  leave: ({ current, rooms, me, known, isLooking, permission, sound }) => {
    const kept = { scene: "login", rooms: mapValues(rooms, renewed), me, known, isLooking, permission, sound };
    return [{ ...begin(current), ...kept }, [{ do: "disconnect" }]];
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

  /** The server has ended the connection, and does not want one back. */
  shut: (state, { code }) => [toLogin({ ...state, connection: "closed" }, { code: "closed", text: String(code) }), []],

  listRooms: (state) => [state, state.connection === "open" ? [send({ type: "rooms" })] : []],

  /** What the browser allows, or a person wants: {permission} or {sound}. */
  set: (state, { type, ...change }) => [{ ...state, ...change }, []],
});

frames.rooms = (state, frame) => [{ ...state, listed: frame.rooms }, []];

/** Which messages notify. */
acts.notice = (room, { which }) => [{ ...room, notice: which }, []];

function refuse(state, refusal) {
  return step(state, { type: "refuse", refusal });
}
