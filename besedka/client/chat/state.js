// What the page knows, and how it changes: the person, the connection, all rooms together; one room is in room.js. Pure.
// Here is what one needs to come in and say something; more.js adds to the two tables.

import { DEFAULT_ROOM } from "./protocol.js";
import * as room from "./room.js";

export function begin(name = DEFAULT_ROOM) {
  return {
    scene: "start", // start | login | chat
    busy: false, // coming in
    problem: null, // why one could not come in: {code, text}
    connection: "closed", // closed | open | away
    retryAt: 0, // in ms; while away
    awaySince: 0,
    me: "",
    known: "", // the name under which one was let in before
    secret: "",
    current: name,
    rooms: { [name]: room.begin(name) }, // those one is in, by name
    listed: [], // all of the server: {name, clients_count}
    limits: { name: 32, room: 32, text: 5000 },
    utcOffset: 0,
    isLooking: true,
    search: null, // {text, room, hits, before, busy, refusal}
    permission: "default", // to notify: default | granted | denied | impossible
    sound: false,
  };
}

/** A room that one is in, whatever its name means in JavaScript. */
export const roomOf = ({ rooms }, name) => (Object.hasOwn(rooms, name) ? rooms[name] : undefined);
export const here = (state) => state.rooms[state.current];
export const waiting = (state) => Object.values(state.rooms).reduce((sum, { outbox }) => sum + outbox.length, 0);
export const unreadRooms = (state) => Object.values(state.rooms).filter(room.unread);

/** [the next state, what is to be done]. An event that is not in the table is for one room: `name`, or the current one. */
export function step(state, event) {
  const { type, name = state.current } = event;
  if (handlers[type]) return handlers[type](state, event);
  return room.acts[type] ? inRoom(state, name, (one) => room.acts[type](one, event, state)) : notYet(state, event);
}

function notYet(state, event) {
  return [state, [{ do: "more", event }]];
}

export const handlers = {
  /** rooms: what earlier visits knew, {name: {readTo, epoch, notice}}. */
  start: (state, { name, me = name, rooms = {} }) => {
    const known = Object.fromEntries(Object.entries(rooms).map(([key, kept]) => [key, room.begin(key, kept)]));
    return [{ ...state, scene: "login", me, known: name, rooms: { ...state.rooms, ...known } }, []];
  },

  /** What waits since earlier visits, or in other tabs, under this name: [{room, key, text, after}]. */
  kept: (state, { unsent }) => {
    const add = (next, one) => withRoom(next, room.waited(roomOf(next, one.room) ?? room.begin(one.room), one, state.me));
    return [unsent.reduce(add, state), []];
  },

  enter: (state, { name, secret }) => {
    const me = name.trim();
    if (!me) return [{ ...state, problem: { code: "empty_name" } }, []];
    // What was said under another name waits for that one.
    const rooms = me === state.me ? state.rooms : mapValues(state.rooms, room.renewed);
    const next = { ...state, rooms, me, secret, busy: true, problem: null };
    return state.connection === "open" ? joinOne(next, next.current) : [next, [{ do: "connect" }]];
  },

  open: (state) => {
    const next = { ...state, connection: "open", retryAt: 0, awaySince: 0 };
    return state.busy ? joinOne(next, next.current) : joinAll(next);
  },

  closed: (state, { retryIn, now }) => [{
    ...state,
    connection: "away",
    // One who was here before goes on reading and writing.
    scene: state.busy && state.me === state.known ? "chat" : state.scene,
    retryAt: now + retryIn * 1000,
    awaySince: state.awaySince || now,
    rooms: mapValues(state.rooms, room.away),
  }, []],

  frame: (state, event) => {
    const { frame, now } = event;
    const handler = frames[frame.type] ?? (room.frames[frame.type] ? inItsRoom : () => notYet(state, event));
    return handler(state, frame, now);
  },
};

export const frames = {
  welcome: (state, frame, now) => {
    if (!roomOf(state, frame.room)) return step(state, { type: "renamed", frame, now });
    const next = {
      ...state,
      scene: "chat",
      busy: false,
      problem: null,
      me: frame.user,
      known: frame.user,
      utcOffset: frame.utc_offset,
      limits: frame.limits,
    };
    const [told, effects] = inItsRoom(next, frame, now);
    // One room first, to see whether one is let in, then the others.
    const [all, joins] = state.busy ? joinAll(told) : [told, []];
    return [all, [{ do: "remember", name: frame.user }, ...effects, ...joins]];
  },

  error: (state, frame, now) => {
    const { code, text, key } = frame;
    const refusal = { code, text };
    const one = roomOf(state, frame.room) ?? here(state);
    if (one.isJoining && !key) {
      // A room that cannot be entered is let go, if there is another; a name that cannot be had must be another.
      const isRoom = one.name === DEFAULT_ROOM ? code.includes("room") && Object.keys(state.rooms)[1] : /room|invite|link/.test(code);
      return isRoom ? step(state, { type: "quit", name: one.name, refusal }) : [toLogin(state, refusal), []];
    }
    return step(state, { type: "refused", name: one.name, frame, now });
  },
};

export function toLogin(state, problem) {
  return { ...state, rooms: mapValues(state.rooms, room.away), scene: "login", busy: false, problem };
}

export function inItsRoom(state, frame, now) {
  const { type, id, user } = frame;
  const [next, effects] = inRoom(state, frame.room, (one) => room.frames[type](one, frame, state, now));
  const isNews = type === "chat" && id > roomOf(state, frame.room)?.lastId && user !== state.me;
  return [next, isNews ? [...effects, { do: "heard", frame }] : effects];
}

export function joinAll(state) {
  return [state.current, ...Object.keys(state.rooms)].reduce(([next, all], name) => {
    const [more, effects] = joinOne(next, name);
    return [more, [...all, ...effects]];
  }, [state, []]);
}

export function joinOne(state, name) {
  const one = state.rooms[name];
  if (state.connection !== "open" || one.isIn || one.isJoining) return [state, []];
  return [withRoom(state, { ...one, isJoining: true }), [send(room.joining(one, state))]];
}

function inRoom(state, name, act) {
  const one = roomOf(state, name);
  if (!one) return [state, []];
  const [next, sent] = act(one);
  return [withRoom(state, next), sent.map(send)];
}

export function withRoom(state, one) {
  return state.rooms[one.name] === one ? state : { ...state, rooms: { ...state.rooms, [one.name]: one } };
}

export function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

export function send(frame) {
  return { do: "send", frame };
}
