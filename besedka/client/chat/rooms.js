// More rooms than one: going from one to another, leaving one or all. Pure.

import { DEFAULT_ROOM, roomName } from "./protocol.js";
import { come } from "./reading.js";
import { acts, begin as beginRoom, label, renewed } from "./room.js";
import { begin, frames, handlers, joinAll, joinOne, mapValues, roomOf, send, step, toLogin, withRoom } from "./state.js";

const ROOMS_AT_MOST = 100; // of one connection, says the server
const BARRED = { 4003: "no_access", 4004: "kicked", 4005: "banned", 4006: "not_known" };

Object.assign(handlers, {
  /** Look at a room, and be in it. */
  go: (state, { name: given, invite }) => {
    const name = roomName(given);
    if (!name) return refuse(state, { code: "bad_room" });
    const known = roomOf(state, name);
    if (!known && Object.keys(state.rooms).length >= ROOMS_AT_MOST) return refuse(state, { code: "too_many_rooms" });
    if (name === state.current) return [state, []];
    const { kind, peer } = state.listed.find((one) => one.name === name) ?? {};
    const next = withRoom(state, come({ ...(known ?? beginRoom(name, { kind, peer })), invite }));
    const hidden = state.hidden?.filter((other) => other !== name);
    return joinOne({ ...next, current: name, search: null, hidden }, name);
  },

  /** Be in a room no more, if one wants, or is not let in. The last one stays. */
  quit: (state, { name, refusal }) => {
    const { [name]: gone, ...others } = state.rooms;
    const isOnlyOne = !Object.keys(others).length;
    if (!gone || (isOnlyOne && !(refusal && name !== DEFAULT_ROOM))) return [state, []];
    const why = refusal && { ...refusal, where: label(gone).replace(/^…$/, "") }; // which one, if its name means something
    const rooms = isOnlyOne ? { [DEFAULT_ROOM]: beginRoom(DEFAULT_ROOM) } : others;
    const [last] = Object.keys(rooms).slice(-1);
    const current = name === state.current ? last : state.current;
    if (refusal && gone.outbox.length) return [withRoom(state, { ...gone, isJoining: false, refusal: why }), []];
    const listed = state.listed.filter((one) => !refusal || one.name !== name);
    const [next, effects] = joinAll({ ...state, rooms, listed, current });
    if (refusal && name !== state.current && refusal.code === "not_invited") return [next, effects]; // it was another person's
    if (refusal) return [next.rooms[current].isIn ? refuse(next, why)[0] : { ...next, note: why }, effects];
    const hidden = gone.peer ? [...(next.hidden ?? []), name] : next.hidden;
    return [{ ...next, hidden }, gone.isIn ? [...effects, send({ type: "leave", room: name })] : effects];
  },

  /** Back to the login. */
  leave: ({ current, rooms, me, known, isLooking, permission, sound, hidden }) => {
    const kept = { scene: "login", rooms: mapValues(rooms, renewed), me, known, isLooking, permission, sound, hidden };
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
  shut: (state, { code }) => {
    const { why = "", ...next } = state;
    const problem = BARRED[code] ? { code: BARRED[code], text: why } : { code: "closed", text: String(code) };
    return [toLogin({ ...next, connection: "closed" }, state.problem?.code === problem.code ? state.problem : problem), []];
  },

  /** One comes by an address, while the page is open. */
  visit: (state, { room, id, key, invite, name, device }) => {
    const [out, effects] = (device || name) && state.scene === "chat" ? handlers.leave(state) : [state, []];
    if (device) return [{ ...out, busy: false, problem: { code: "device", token: device, name } }, effects];
    const current = roomName(room) || DEFAULT_ROOM;
    if (out.scene === "chat") {
      const [gone, more] = step(out, { type: "go", name: current, invite });
      const [there, asked] = id ? step(gone, { type: "jump", id }) : [gone, []];
      return [there, [...more, ...asked]];
    }
    const { problem, secret } = out;
    const one = { ...(roomOf(out, current) ?? beginRoom(current)), invite, target: id || null };
    const next = withRoom({ ...out, current, me: name || out.me, problem: null }, one);
    return key && problem?.code === "no_access" && next.me ? handlers.enter(next, { name: next.me, secret }) : [next, effects];
  },

  listRooms: (state) => [state, state.connection === "open" ? [send({ type: "rooms" })] : []],

  /** What the browser allows, or a person wants: {permission} or {sound}. */
  set: (state, { type, ...change }) => [{ ...state, ...change }, []],
});

frames.rooms = (state, { rooms: listed }) => {
  // A talk that has begun while one was away is joined; one that was left is not.
  const isNew = ({ name, peer }) => peer && state.hidden && !state.hidden.includes(name) && !roomOf(state, name);
  const add = (next, { name, kind, peer }) => withRoom(next, beginRoom(name, { kind, peer, readTo: state.hasMoved ? -1 : 0 }));
  const next = listed.filter(isNew).reduce(add, { ...state, listed });
  return state.scene === "chat" ? joinAll(next) : [{ ...state, listed }, []];
};

/** Which messages notify. */
acts.notice = (room, { which }) => [{ ...room, notice: which }, []];

function refuse(state, refusal) {
  return step(state, { type: "refuse", refusal });
}
