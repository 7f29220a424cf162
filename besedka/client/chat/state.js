// The page's state and its transitions: user, connection, rooms; room.js has one room. Pure.
// Enough to log in and post; features.js has the rest.

import { DEFAULT_ROOM } from "./protocol.js";
import { addressedRoom, away, joining, newRoom, renewed, restored, roomEvents, roomFrames, unread } from "./room.js";

/** @type {(name?: string) => State} */
export const newState = (name = DEFAULT_ROOM) => ({
  scene: "start",
  busy: false,
  problem: null,
  connection: "closed",
  retryAt: 0,
  awaySince: 0,
  me: "",
  knownName: "",
  secret: "",
  current: name,
  rooms: { [name]: addressedRoom(name) },
  listed: [],
  limits: { name: 32, room: 32, text: 5000 },
  utcOffset: 0,
  isFocused: true,
  search: null,
  permission: "default",
  sound: false,
});

/** One of the user's rooms; names like "constructor" are safe. @type {(state: State, name?: string) => Room | undefined} */
export const roomOf = ({ rooms }, name = "") => (Object.hasOwn(rooms, name) ? rooms[name] : undefined);
/** @type {(state: State) => Room} */
export const here = (state) => state.rooms[state.current];
/** @type {(state: State) => Room[]} */
export const unreadRooms = (state) => Object.values(state.rooms).filter(unread);

/**
 * The step function of these features. A room event is for `name`, or the current room. Of several handlers the last
 * feature's is called, and may call `next`; an event without a handler is deferred.
 * @type {(...features: Feature[]) => Step}
 */
export function createStep(...features) {
  /** @type {HandlerTable} */
  const events = new Map();
  /** @type {HandlerTable} */
  const frames = new Map();
  /** @type {(table: HandlerTable, handlers?: Record<string, Handler>) => void} */
  const add = (table, handlers = {}) => {
    for (const [type, handle] of Object.entries(handlers)) {
      const below = table.get(type);
      table.set(type, (state, event, context) =>
        handle(state, event, { ...context, next: (to = state, other = event) => (below ? below(to, other, context) : [to, []]) }));
    }
  };
  for (const { roomEvents = {}, roomFrames = {} } of features) {
    add(events, mapValues(roomEvents, (act) => (state, event) => inRoom(state, event.name ?? state.current, (room) => act(room, event, state))));
    add(frames, mapValues(roomFrames, (act) => (state, frame, { now, at }) => inRoom(state, frame.room, (room) => act(room, frame, state, { now, at }))));
  }
  for (const feature of features) {
    add(events, feature.events);
    add(frames, feature.frames);
  }
  /** @type {Step} */
  const step = (state, event) => {
    const isFrame = event.type === "frame";
    const about = isFrame ? event.frame : event;
    const type = about.type === "history" && (about.before ?? about.from_time) !== undefined ? "page" : about.type;
    const handle = (isFrame ? frames : events).get(type);
    if (!handle) return [state, [{ do: "defer", event }]];
    return handle(state, about, { step, now: isFrame ? event.now : 0, at: isFrame ? event.at : 0, next: () => [state, []] });
  };
  return step;
}

/** @type {Feature["events"]} */
const events = {
  /** rooms: stored by earlier visits, {name: {readTo, epoch, notice}}. */
  start: (state, { name, me = name, rooms = {} }) => {
    const known = Object.fromEntries(Object.entries(rooms).map(([key, kept]) => [key, newRoom(key, kept)]));
    return [{ ...state, scene: "login", me, knownName: name, rooms: { ...state.rooms, ...known } }, []];
  },

  /** Restores the outbox of earlier visits and other tabs under this name. */
  restore: (state, { unsent }) => [
    unsent.reduce((next, message) => {
      const { room } = message;
      return withRoom(next, restored(roomOf(next, room) ?? newRoom(room), message, state.me));
    }, state),
    [],
  ],

  logIn: (state, { name, secret }) => {
    const me = name.trim();
    if (!me) return [{ ...state, problem: { code: "empty_name" } }, []];
    // Messages of another name wait for that name.
    const rooms = me === state.me ? state.rooms : mapValues(state.rooms, renewed);
    const next = { ...state, rooms, me, secret, busy: true, problem: null };
    return state.connection === "open" ? join(next, next.current) : [next, [{ do: "connect" }]];
  },

  /** Joins without the login: the name is known, or welcome. */
  resume: (state, { name, secret }) => [{ ...state, scene: "chat", me: name, secret, busy: true, problem: null }, [{ do: "connect" }]],

  connected: (state) => {
    /** @type {State} */
    const next = { ...state, connection: "open", retryAt: 0, awaySince: 0 };
    return state.busy ? join(next, next.current) : joinAll(next);
  },

  disconnected: (state, { retryIn, now }) => [
    {
      ...state,
      connection: "away",
      // A known user goes on reading and writing.
      scene: state.busy && state.me === state.knownName ? "chat" : state.scene,
      retryAt: now + retryIn * 1000,
      awaySince: state.awaySince || now,
      rooms: mapValues(state.rooms, away),
    },
    [],
  ],
};

/** @type {Feature["frames"]} */
const frames = {
  welcome: (state, frame, { step, next, now, at }) => {
    if (!roomOf(state, frame.room)) return step(state, { type: "roomRenamed", frame: { ...frame, type: "welcome" }, now, at });
    const { user, utc_offset: utcOffset, limits } = frame;
    const [joined, effects] = next({ ...state, scene: "chat", busy: false, problem: null, me: user, knownName: user, utcOffset, limits });
    // The other rooms only when the first join is accepted.
    const [all, joins] = state.busy ? joinAll(joined) : [joined, []];
    return [all, [{ do: "remember", name: user }, ...effects, ...joins]];
  },

  chat: (state, frame, { next }) => {
    const [after, effects] = next();
    const isNew = frame.id > (roomOf(state, frame.room)?.lastId ?? frame.id) && frame.user !== state.me;
    return [after, isNew ? [...effects, { do: "received", frame }] : effects];
  },
};

/** @type {Feature} */
export const core = { events, frames, roomEvents, roomFrames };

/** Joins these rooms: all, the one on the screen first. @type {(state: State, names?: string[]) => Change} */
export function joinAll(state, names = [state.current, ...Object.keys(state.rooms)]) {
  /** @type {Change} */
  const start = [state, []];
  return names.reduce(([next, all], name) => {
    const [after, effects] = join(next, name);
    return [after, [...all, ...effects]];
  }, start);
}

/** @type {(state: State, name: string) => Change} */
export function join(state, name) {
  const room = state.rooms[name];
  if (state.connection !== "open" || room.isJoined || room.isJoining) return [state, []];
  return [withRoom(state, { ...room, isJoining: true }), [send(joining(room, state))]];
}

/** @type {(state: State, name: string, act: (room: Room) => RoomChange) => Change} */
function inRoom(state, name, act) {
  const room = roomOf(state, name);
  if (!room) return [state, []];
  const [next, sent] = act(room);
  return [withRoom(state, next), sent.map(send)];
}

/** @type {(state: State, room: Room) => State} */
export const withRoom = (state, room) =>
  state.rooms[room.name] === room ? state : { ...state, rooms: { ...state.rooms, [room.name]: room } };

/** @type {<T, U>(object: Record<string, T>, change: (value: T) => U) => Record<string, U>} */
export const mapValues = (object, change) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** @type {(frame: ClientFrame) => Effect} */
export const send = (frame) => ({ do: "send", frame });
