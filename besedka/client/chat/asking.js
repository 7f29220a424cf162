// Questions that the server answers by one word, with their key: another kind of room, invitations, devices, keeping order;
// and what it tells of them unasked. Pure. More of the state:
//
//   asked {key: {frame, say}}: not answered yet   note {text}: to be shown for a moment, or {code, text}: a refusal, or
//   {word}: one of the page's own
//   invitation {room, token, uses, expires}, deviceLink {token, user, until}: the newest ones   why: one will be shut out
//   hidden [name]: direct talks that one has left   hasMoved: one has become somebody on this device

import { begin as beginRoom, renewed } from "./room.js";
import { begin, frames, handlers, here, inItsRoom, joinOne, mapValues, roomOf, send, step, withRoom } from "./state.js";

const { open, closed } = handlers;
const { error } = frames;

Object.assign(handlers, {
  /** say: {key, text}, to be said in the room that is the answer. */
  ask: (state, { frame, say }) => {
    if (state.connection !== "open") return [{ ...state, note: { code: "away" } }, []];
    const count = (state.askedCount ?? 0) + 1;
    const key = `ask-${count}`;
    const news = { invite: { invitation: null }, add_device: { deviceLink: null } }[frame.type];
    return [{ ...state, ...news, askedCount: count, asked: { ...state.asked, [key]: { frame, say } } }, [send({ ...frame, key })]];
  },

  /** Something is to be told for a moment, or was. */
  note: (state, { note }) => [{ ...state, note }, []],

  /** Yes, be on this device who has made the link. */
  takeDevice: (state) => {
    const next = { ...state, problem: { ...state.problem, isTaken: true } };
    return state.connection === "open" ? take(next) : [next, [{ do: "connect" }]];
  },

  /** No; or, to the login. */
  dismiss: (state) => {
    const rooms = mapValues(state.rooms, (room) => ({ ...room, invite: undefined }));
    return [{ ...state, rooms, problem: null, busy: false, connection: "closed" }, [{ do: "disconnect" }]];
  },

  open: (state) => (state.problem?.isTaken ? take({ ...state, connection: "open", retryAt: 0, awaySince: 0 }) : open(state)),

  // Nobody knows whether it was done.
  closed: (state, event) => closed({ ...state, asked: {}, note: Object.keys(state.asked ?? {}).length ? { code: "away" } : state.note }, event),
});

function take(state) {
  const { token, name } = state.problem;
  return handlers.ask(state, { frame: { type: "take_device", token }, name });
}

Object.assign(frames, {
  place: (state, { room: name, kind, peer, key }) => {
    const [asked, next] = answered(state, key);
    const known = roomOf(next, name);
    const about = { kind, peer };
    const one = known ? { ...known, ...about } : beginRoom(name, asked ? about : { ...about, readTo: 0, isNew: true });
    const hidden = next.hidden?.filter((other) => other !== name);
    const there = withRoom({ ...next, hidden }, one);
    if (!asked) return joinOne(there, name);
    const [gone, joined] = step(there, { type: "go", name });
    const [said, sent] = asked.say ? step(gone, { type: "say", name, ...asked.say }) : [gone, []];
    return [said, [...joined, ...sent]];
  },

  invitation: (state, { room, token, uses, expires, key }) => [{ ...answered(state, key)[1], invitation: { room, token, uses, expires } }, []],

  device_link: (state, { token, user, seconds, key }, now) => {
    return [{ ...answered(state, key)[1], deviceLink: { token, user, until: now + seconds * 1000 } }, []];
  },

  /** Who one is on this device from now on. A link that has promised another name is a trap. */
  device: (state, { user, secret, key }) => {
    const [asked, next] = answered(state, key);
    if (!asked) return [state, []];
    const { name } = state.problem ?? {};
    if (name && name !== user) return [{ ...next, problem: { code: "bad_link" } }, [{ do: "disconnect" }]];
    // What the one before was a member of is not for this one.
    const open = Object.values(next.rooms).filter(({ kind }) => !kind).map(renewed);
    const { name: current } = open.find((one) => one.name === next.current) ?? open[0] ?? beginRoom(begin().current);
    const rooms = Object.fromEntries((open.length ? open : [beginRoom(current)]).map((one) => [one.name, one]));
    return [{ ...next, rooms, current, me: user, hidden: [], hasMoved: true, problem: null }, [{ do: "become", user, secret }]];
  },

  /** What one may do in a room is another thing now. */
  rights: (state, { room: name, may }) => {
    const one = roomOf(state, name);
    if (!one) return [state, []];
    const [was, is] = [one.may, may].map((rights) => Boolean(rights?.includes("moderate")));
    const note = was === is ? state.note : { word: is ? "keepsOrder" : "keepsOrderNoMore" };
    return [withRoom({ ...state, note }, { ...one, may }), []];
  },

  done: (state, { text, key }) => [{ ...answered(state, key)[1], note: { text } }, []],

  /** A message has another text now. */
  redacted: (state, { room: name, id, text }) => {
    const one = roomOf(state, name);
    const change = (message) => (message.id === id ? { ...message, text, isRemoved: true, called: false } : message);
    const { search } = state;
    const found = search?.room === name && { search: { ...search, hits: search.hits.map(change) } };
    return [{ ...(one ? withRoom(state, { ...one, rows: one.rows.map(change) }) : state), ...found }, []];
  },

  error: (state, frame, now) => {
    const { code, text, key, room } = frame;
    const refusal = { code, text };
    const [asked, next] = answered(state, key);
    if (asked?.frame.type === "take_device") return [{ ...next, problem: { code: "bad_link", text } }, [{ do: "disconnect" }]];
    if (asked) return [{ ...next, note: refusal }, []];
    if (code === "banned" && !key) return error({ ...state, why: text }, frame, now);
    if (code === "not_allowed" && !key) {
      const isJoining = (roomOf(state, room) ?? here(state)).isJoining;
      const told = { ...state, why: text };
      return isJoining ? error(told, frame, now) : [told, []]; // one is shown out: the end follows
    }
    // One is no member any more.
    if (code === "not_invited" && !key && roomOf(state, room)?.isIn) return step(state, { type: "quit", name: room, refusal });
    return error(state, frame, now);
  },
});

// What has come before one was in a talk that somebody has begun is told as if one had heard it.
frames.history = (state, frame, now) => {
  const [next, effects] = inItsRoom(state, frame, now);
  const room = roomOf(next, frame.room);
  if (!room?.isNew) return [next, effects];
  const last = room.rows.findLast(({ id, own }) => id && !own);
  const heard = last && { do: "heard", frame: { room: room.name, id: last.id, user: last.user, text: last.text } };
  return [withRoom(next, { ...room, isNew: false }), heard ? [...effects, heard] : effects];
};

function answered(state, key) {
  if (!Object.hasOwn(state.asked ?? {}, key)) return [null, state];
  const { [key]: one, ...asked } = state.asked;
  return [one, { ...state, asked }];
}
