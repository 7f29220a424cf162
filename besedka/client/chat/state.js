// What the page knows, and how it changes. Pure: step(state, event) gives the next state and what is to be done.
// What happens in one room is in room.js; here are the person, the connection, and all rooms together.

import { DEFAULT_ROOM } from "./protocol.js";
import * as room from "./room.js";

const ROOMS_AT_MOST = 100; // of one connection, says the server

export function begin(name = DEFAULT_ROOM) {
  return {
    scene: "start", // start | login | chat
    busy: false, // coming in
    problem: null, // why one could not come in: {code, text}
    connection: "closed", // closed | open | away
    retryAt: 0, // when the next try is, in ms, while away
    awaySince: 0,
    me: "",
    secret: "",
    current: name,
    rooms: { [name]: room.begin(name) }, // those that one is in, by name
    listed: [], // all rooms of the server: {name, clients_count}
    limits: { name: 32, room: 32, text: 5000 },
    utcOffset: 0,
    isLooking: true,
    search: null, // {text, room, hits, before, busy}
  };
}

export const here = (state) => state.rooms[state.current];
export const waiting = (state) => Object.values(state.rooms).reduce((sum, { outbox }) => sum + outbox.length, 0);
export const unreadRooms = (state) => Object.values(state.rooms).filter((one) => room.unread(one));

export function step(state, event) {
  const handler = handlers[event.type];
  return handler ? handler(state, event) : [state, []];
}

const handlers = {
  /** rooms: {name: {readTo, unsent}} of earlier visits. */
  start: (state, { name, rooms = {} }) => {
    const known = { ...state.rooms };
    for (const [key, { readTo = -1 }] of Object.entries(rooms)) {
      known[key] = { ...(known[key] ?? room.begin(key)), readTo, unreadFrom: readTo };
    }
    return [{ ...state, scene: "login", me: name, rooms: known }, []];
  },

  /** What waited in earlier visits under this name: {room: [message]}. */
  kept: (state, { unsent }) => {
    let next = state;
    for (const [name, messages] of Object.entries(unsent)) {
      next = withRoom(next, room.kept(next.rooms[name] ?? room.begin(name), state.me, messages));
    }
    return [next, []];
  },

  enter: (state, { name, secret }) => {
    const me = name.trim();
    if (!me) return [{ ...state, problem: { code: "empty_name" } }, []];
    const next = { ...state, me, secret, busy: true, problem: null };
    // While the connection is being made, a corrected name is taken along when it is there.
    return state.connection === "open" ? joinAll(next) : [next, [{ do: "connect" }]];
  },

  leave: (state) => {
    const read = Object.fromEntries(Object.values(state.rooms).map(({ name, readTo }) => [name, { readTo }]));
    const [next] = handlers.start(begin(state.current), { name: state.me, rooms: read });
    return [next, [{ do: "disconnect" }]];
  },

  open: (state) => joinAll({ ...state, connection: "open", retryAt: 0, awaySince: 0 }),

  closed: (state, { retryIn, now }) => {
    const next = mapRooms(state, room.away);
    return [{ ...next, connection: "away", retryAt: now + retryIn * 1000, awaySince: state.awaySince || now }, []];
  },

  shut: (state, { code }) => [
    { ...mapRooms(state, room.away), connection: "closed", scene: "login", busy: false, problem: { code: "closed", text: String(code) } },
    [],
  ],

  /** Look at a room, and be in it. */
  go: (state, { name }) => {
    if (name === state.current) return [state, []];
    const isKnown = name in state.rooms;
    if (!isKnown && Object.keys(state.rooms).length >= ROOMS_AT_MOST) return [state, []];
    const old = withRoom(state, room.left(here(state)));
    const next = isKnown ? old : withRoom(old, room.begin(name));
    const there = { ...next, current: name, search: null };
    return joinOne(there, name);
  },

  /** Be in a room no more. The last one stays. */
  quit: (state, { name }) => {
    const { [name]: gone, ...rooms } = state.rooms;
    const names = Object.keys(rooms);
    if (!gone || !names.length) return [state, []];
    const current = name === state.current ? names.at(-1) : state.current;
    return [{ ...state, rooms, current }, gone.isIn ? [send({ type: "leave", room: name })] : []];
  },

  say: (state, event) => inHere(state, (one) => room.say(one, state.me, event)),
  again: (state, { key }) => inHere(state, (one) => room.again(one, key)),
  discard: (state, { key }) => [withRoom(state, room.discard(here(state), key)), []],
  sayAgain: (state, { name }) => (state.rooms[name] ? inRoom(state, name, room.release) : [state, []]),
  typing: (state) => [state, here(state).isIn ? [send({ type: "typing", room: state.current })] : []],
  older: (state) => inHere(state, room.older),
  newer: (state) => inHere(state, room.newer),
  jump: (state, { id }) => inHere(state, (one) => room.jump(one, id)),
  jumped: (state) => [withRoom(state, room.jumped(here(state))), []],
  forget: (state) => [withRoom(state, { ...here(state), refusal: null }), []],

  /** The end of what is shown is before one's eyes. */
  seen: (state) => (state.isLooking ? [withRoom(state, room.seen(here(state))), []] : [state, []]),

  look: (state, { isHere }) => {
    if (isHere === state.isLooking) return [state, []];
    return [{ ...(isHere ? state : withRoom(state, room.left(here(state)))), isLooking: isHere }, []];
  },

  listRooms: (state) => [state, state.connection === "open" ? [send({ type: "rooms" })] : []],

  search: (state, { text }) => {
    const search = { text, room: state.current, hits: [], before: 0, busy: true };
    return text.trim() ? lookFor({ ...state, search }) : [{ ...state, search: null }, []];
  },

  searchOn: (state) => (state.search?.before ? lookFor({ ...state, search: { ...state.search, busy: true } }) : [state, []]),
  searchNoMore: (state) => [{ ...state, search: null }, []],

  frame: (state, { frame, now }) => (frames[frame.type] ?? inItsRoom)(state, frame, now),
};

const frames = {
  welcome: (state, frame, now) => {
    // The server tells a room's name as it uses it; the one that was asked for may have been spelled otherwise.
    const asked = state.rooms[frame.room] ? frame.room : Object.values(state.rooms).find((one) => one.isJoining)?.name;
    const { [asked]: one = room.begin(frame.room), ...others } = state.rooms;
    const rooms = asked === frame.room ? state.rooms : { ...others, [frame.room]: one };
    const next = {
      ...state,
      rooms,
      current: state.current === asked ? frame.room : state.current,
      scene: "chat",
      busy: false,
      problem: null,
      me: frame.user,
      utcOffset: frame.utc_offset,
      limits: frame.limits,
    };
    const [told, effects] = inItsRoom(next, frame, now);
    return [told, [{ do: "remember", name: frame.user }, ...effects]];
  },

  rooms: (state, frame) => [{ ...state, listed: frame.rooms }, []],

  found: (state, frame) => {
    const { search } = state;
    if (!search || frame.text !== search.text || frame.room !== search.room) return [state, []];
    const hits = frame.ids.map((id, index) => ({ id, raw: frame.messages[index] }));
    return [{ ...state, search: { ...search, hits: [...hits, ...search.hits], before: frame.before, busy: false } }, []];
  },

  error: (state, frame, now) => {
    const refusal = { code: frame.code, text: frame.text };
    if (state.busy) return [{ ...state, busy: false, problem: refusal }, []];
    const one = state.rooms[frame.room];
    if (!one) return [withRoom(state, { ...here(state), refusal }), []];
    if (one.isJoining && !frame.key) {
      // One is not let in there: back to where one was.
      const [back] = handlers.quit(state, { name: one.name });
      return [withRoom(back, { ...here(back), isJoining: false, refusal }), []];
    }
    if (state.search?.busy && !frame.key) return [{ ...state, search: { ...state.search, busy: false, refusal } }, []];
    const [next, effects] = inItsRoom(state, frame, now);
    const later = { do: "later", seconds: frame.retry_after, event: { type: "sayAgain", name: one.name } };
    return [next, frame.code === "too_fast" && frame.key && !one.held ? [...effects, later] : effects];
  },
};

function inItsRoom(state, frame, now) {
  const handler = room.frames[frame.type];
  const before = state.rooms[frame.room];
  if (!handler || !before) return [state, []];
  const about = { me: state.me, utcOffset: state.utcOffset, now };
  const [next, effects] = inRoom(state, frame.room, (one) => handler(one, frame, about));
  return [next, frame.type === "chat" && frame.id > before.lastId && frame.user !== state.me
    ? [...effects, { do: "heard", room: frame.room, frame }] : effects];
}

function joinAll(state) {
  let [next, all] = joinOne(state, state.current);
  for (const name of Object.keys(state.rooms)) {
    const [more, effects] = joinOne(next, name);
    [next, all] = [more, [...all, ...effects]];
  }
  return [next, all];
}

function joinOne(state, name) {
  const one = state.rooms[name];
  if (state.connection !== "open" || one.isIn || one.isJoining) return [state, []];
  const next = withRoom(state, { ...one, isJoining: true });
  return [next, [send(room.joining(one, state.me, state.secret))]];
}

function lookFor(state) {
  const { text, before, room: name } = state.search;
  const frame = { type: "search", room: name, text };
  return [state, [send(before ? { ...frame, before } : frame)]];
}

function inHere(state, act) {
  return inRoom(state, state.current, act);
}

function inRoom(state, name, act) {
  const [next, sent] = act(state.rooms[name]);
  return [withRoom(state, next), sent.map(send)];
}

function withRoom(state, one) {
  return state.rooms[one.name] === one ? state : { ...state, rooms: { ...state.rooms, [one.name]: one } };
}

function mapRooms(state, change) {
  return { ...state, rooms: Object.fromEntries(Object.entries(state.rooms).map(([name, one]) => [name, change(one)])) };
}

function send(frame) {
  return { do: "send", frame };
}
