// One room as the page knows it, and how it changes. Pure.
//
// Rows, oldest first: messages that the server has told (with an id), notices among them, and behind them all what still
// waits to be heard back (with a key). Row objects are never changed, only replaced, so a view can compare them.
// The rows are a window on the log; if it does not reach to the end, what comes is only counted.

import { dayOf, mentions, readLine } from "./protocol.js";

const ROWS_AT_MOST = 400; // others are fetched again when one scrolls there
const ROWS_KEPT = 300;
const ON_THE_WAY_AT_MOST = 32; // sent and not heard back: who says too much at once has little to say again

/** A room; `kept` is what an earlier visit knew: {readTo, epoch, notice}. */
export function begin(name, kept) {
  return {
    name,
    isIn: false, // until then nothing may be said: it would overtake what waits
    isJoining: false,
    rows: [],
    isAtEnd: true,
    outbox: [], // {key, text, after, sent, again}; it is no message of the log up to the id `after`
    held: false, // too much was said at once: what waits is said again in a moment
    lastId: 0, // of the log
    firstId: 0, // the oldest one shown; 0: none yet
    endId: 0, // the newest one shown
    epoch: "",
    count: 0,
    users: [],
    typing: [], // {user, until}
    wereHere: [], // who was here when the connection was lost
    oldUntil: 0, // messages up to this id were said before one came in
    fetching: null, // {what: "older" | "newer" | "around", before}
    target: null, // the id of a message to be shown; 0: the end
    isFollowing: true, // one sees the end, not something further up
    readTo: -1, // the last id one has read; -1: one has never been here
    unreadFrom: -1, // the line of what is new stands behind this id; -1: none
    called: 0, // how many unread messages mention one
    notice: "mentions", // what notifies: all | mentions | none
    refusal: null, // of the last thing said
    kind: undefined, // none: open for all | private | direct: with the peer
    peer: undefined,
    may: undefined, // what one may do here beside talking: [invite, moderate]
    ...kept,
  };
}

/** What a room is called: a talk of two after the other one, as its own name means nothing to people. */
export function label({ name, kind, peer }) {
  return peer || (name.startsWith("direct-") ? "…" : kind ? name : `# ${name}`);
}

/** How many messages one has not read. */
export function unread({ readTo, lastId }) {
  return readTo < 0 ? 0 : Math.max(0, lastId - readTo);
}

/** The room as one knows it who comes anew. */
export function renewed({ name, readTo, epoch, notice, target, kind, peer, invite }) {
  return begin(name, { readTo, epoch, notice, target, kind, peer, invite });
}

export function joining({ name, lastId, epoch, invite }, { me, secret }) {
  const frame = { type: "join", room: name, user: me, secret, ...(invite && { invite }) };
  return lastId ? { ...frame, since: lastId, epoch } : frame;
}

export function away(room) {
  const wereHere = room.isIn ? room.users : room.wereHere;
  return { ...room, isIn: false, isJoining: false, held: false, typing: [], fetching: null, outbox: unsent(room), wereHere };
}

/** What waits in another tab, or since before the page was closed: it may have been sent. */
export function waited(room, { key, text, after }, me) {
  if (room.rows.some((row) => row.key === key)) return room;
  return withWaiting(room, { key, text, after, again: true }, me);
}

/** What a person does in a room: (room, event, {me, isLooking}) -> [room, frames to be sent]. */
export const acts = {
  invited: (room, { invite }) => [{ ...room, invite }, []],

  say: (room, { key, text }, { me }) => sendWaiting(withWaiting(room, { key, text, after: room.lastId }, me)),
};

/** What the server tells: (room, frame, {me, utcOffset}, now) -> [room, frames to be sent]. */
export const frames = {
  welcome: (room, { reset, epoch, head, clients_count: count, users, kind, peer, may }) => {
    const restart = reset || (room.epoch && epoch && epoch !== room.epoch);
    const { notice, target, isFollowing } = room;
    const is = { epoch, count, users, kind, peer, may, isIn: true, isJoining: false, refusal: null, invite: undefined };
    const anew = restart && { ...begin(room.name, { notice, target, isFollowing }), rows: waitingRows(room.rows) };
    const next = { ...room, ...anew, ...is, outbox: unsent(room) };
    // Coming in anew, all that is there is old; on coming back, what was missed is new.
    if (!next.lastId) next.lastId = next.oldUntil = head;
    if (next.readTo < 0 || next.readTo > head) next.readTo = head;
    if (next.readTo < head) next.unreadFrom = next.readTo;
    const [shown, asked] = target === null ? [next, []] : acts.jump(next, { id: target });
    const [said, sent] = sendWaiting(shown);
    return [said, [...asked, ...sent]];
  },

  history: (room, frame, about) => {
    const heard = Object.values(frame.keys ?? {}).reduce(without, room);
    const rows = frame.messages.map((raw, index) => told(room, { ...readLine(raw), id: frame.first + index }, about, frame));
    return sendWaiting(frame.before === undefined ? withNew(heard, rows) : frames.page(heard, rows, frame));
  },

  chat: (room, frame, about) => {
    const { key, id, user, text, timestamp: time, at } = frame;
    const row = told(room, { id, user, text, time, day: dayOf(at, about.utcOffset), live: true }, about, frame);
    const typing = room.typing.filter((one) => one.user !== user);
    return sendWaiting(withNew(without({ ...room, typing }, key), [row]));
  },
};

// What waits is sent in order, and not more of it than may be on its way at once.
export function sendWaiting(room) {
  if (!room.isIn || room.held) return [room, []];
  let free = ON_THE_WAY_AT_MOST - room.outbox.filter((message) => message.sent).length;
  const sent = [];
  const outbox = room.outbox.map((message) => {
    if (message.sent || free <= 0) return message;
    free -= 1;
    const { key, text, after, again } = message;
    const frame = { type: "chat", room: room.name, text, key };
    sent.push(again ? { ...frame, after } : frame);
    return { ...message, sent: true };
  });
  return [sent.length ? { ...room, outbox } : room, sent];
}

// What was on its way may have been stored, or not. If so, then behind all that was heard until now.
export function unsent({ outbox, lastId }) {
  return outbox.map((one) => (one.again ? { ...one, sent: false } : { ...one, again: one.sent, sent: false, after: lastId }));
}

function withWaiting(room, message, me) {
  const { key, text } = message;
  const row = { kind: "message", key, user: me, text, own: true, status: "waiting" };
  return { ...room, refusal: null, outbox: [...room.outbox, message], rows: [...room.rows, row] };
}

// It waits no more: if it was heard back, it stands where the server has put it.
export function without(room, key) {
  if (!key || !room.rows.some((row) => row.key === key)) return room;
  const others = (one) => one.key !== key;
  return { ...room, outbox: room.outbox.filter(others), rows: room.rows.filter(others) };
}

function told(room, message, { me }, { unverified }) {
  const { id, user, text } = message;
  const own = user === me;
  const called = !own && mentions(text, me);
  const isDoubtful = !own && (unverified?.includes?.(id) ?? unverified);
  return { kind: "message", ...message, own, called, isDoubtful, old: id <= room.oldUntil, status: "told" };
}

// Messages that are new: in front of those that wait, if the end of the log is what is shown.
function withNew(room, given) {
  const rows = given.filter((row) => row.id > room.endId && (row.id > room.lastId || row.old));
  const last = rows.at(-1);
  if (!last) return room;
  const lastId = Math.max(room.lastId, last.id);
  const called = room.called + rows.filter((row) => (row.called || (room.peer && !row.own)) && row.id > room.readTo).length;
  // Who speaks has read.
  const readTo = last.own && !last.old && room.isAtEnd && room.readTo >= rows[0].id - 1 ? lastId : room.readTo;
  // What one reads further up stays.
  const isAtEnd = room.isAtEnd && (room.isFollowing || room.rows.length + rows.length <= ROWS_AT_MOST);
  const next = { ...room, isAtEnd, lastId, called, readTo };
  if (!isAtEnd) return next;
  return trimmed({ ...next, rows: behindTold(room.rows, rows), firstId: room.firstId || rows[0].id, endId: lastId });
}

// The window stays small: what is farthest from where one looks is let go.
export function trimmed(room, isAbove) {
  const all = room.rows.filter((row) => !row.key);
  if (all.length <= ROWS_AT_MOST) return room;
  const kept = isAbove ? all.slice(0, ROWS_KEPT) : all.slice(-ROWS_KEPT);
  const firstId = kept.find((row) => row.id).id;
  const endId = kept.findLast((row) => row.id).id;
  return { ...room, rows: [...kept, ...waitingRows(room.rows)], firstId, endId, isAtEnd: endId >= room.lastId };
}

export function behindTold(rows, added) {
  const end = rows.findLastIndex((row) => !row.key) + 1;
  return [...rows.slice(0, end), ...added, ...rows.slice(end)];
}

export function waitingRows(rows) {
  return rows.filter((row) => row.key);
}
