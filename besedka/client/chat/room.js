// One room as the page knows it, and how it changes. Pure.
//
// Rows, oldest first: messages that the server has told (with an id), notices among them, and behind them all what
// still waits to be heard back (the outbox). Row objects are never changed, only replaced, so a view can compare them.
// The rows are a window on the log; `isAtEnd` tells whether it reaches to the end. If not, what comes is only counted.

import { dayOf, mentions, readLine } from "./protocol.js";

const ROWS_AT_MOST = 400; // more than anybody looks at; others are fetched again when one scrolls there
const ROWS_KEPT = 300;
export const PAGE = 50;
const ON_THE_WAY_AT_MOST = 32; // messages sent and not heard back: who says too much at once has little to say again
const TYPING_MS = 4000;

export function begin(name) {
  return {
    name,
    isIn: false, // the join was answered; before that nothing may be said, or it would overtake what waits
    isJoining: false,
    rows: [],
    isAtEnd: true,
    outbox: [], // {key, text, after, sent, again}; after: the last id seen when it was said
    held: false, // too much was said at once: what waits is said again in a moment
    lastId: 0, // the last id of the log that was told
    firstId: 0, // the oldest id that is shown; 0: none yet
    endId: 0, // the newest id that is shown
    epoch: "",
    count: 0,
    users: [],
    typing: [], // {user, until}
    wereHere: [], // who was here when the connection was lost
    oldUntil: 0, // messages up to this id were said before one came in
    notOursUntil: 0, // what the log had when we came cannot be what we say now
    fetching: null, // {what: "older" | "newer" | "around", before}
    target: null, // the id of a message to be shown; 0 is the end
    readTo: -1, // the last id that was read; -1: one has never been here
    unreadFrom: -1, // where the line of what is new stands: before the first id behind this one
    called: 0, // unread messages that mention one
    refusal: null, // of the last thing said
  };
}

/** How many messages one has not read. */
export function unread(room) {
  return room.readTo < 0 ? 0 : Math.max(0, room.lastId - room.readTo);
}

export function joining(room, me, secret) {
  const frame = { type: "join", room: room.name, user: me, secret };
  return room.lastId ? { ...frame, since: room.lastId, epoch: room.epoch } : frame;
}

export function away(room) {
  const wereHere = room.isIn ? room.users : room.wereHere;
  return { ...room, isIn: false, isJoining: false, held: false, typing: [], fetching: null, wereHere };
}

export function say(room, me, { text, key }) {
  const after = Math.max(room.lastId, room.notOursUntil);
  const row = { kind: "message", key, user: me, text, own: true, status: "waiting" };
  return sendWaiting({
    ...room, outbox: [...room.outbox, { key, text, after }], rows: [...room.rows, row], refusal: null,
  });
}

/** What waited in another tab, or before the page was closed. */
export function kept(room, me, messages) {
  const known = new Set(room.outbox.map(({ key }) => key));
  const more = messages.filter(({ key }) => !known.has(key));
  const rows = more.map(({ key, text }) => ({ kind: "message", key, user: me, text, own: true, status: "waiting" }));
  const outbox = more.map(({ key, text, after }) => ({ key, text, after, again: true }));
  return { ...room, outbox: [...room.outbox, ...outbox], rows: [...room.rows, ...rows] };
}

/** Say once more what was refused. */
export function again(room, key) {
  const row = room.rows.find((one) => one.key === key && one.status === "failed");
  if (!row) return [room, []];
  const waiting = { ...row, status: "waiting", refusal: undefined };
  const rows = [...room.rows.filter((one) => one !== row), waiting];
  const message = { key, text: row.text, after: Math.max(room.lastId, room.notOursUntil) };
  return sendWaiting({ ...room, rows, outbox: [...room.outbox, message], refusal: null });
}

export function discard(room, key) {
  return { ...room, rows: room.rows.filter((row) => row.id || row.key !== key), refusal: null };
}

export function release(room) {
  return room.held ? sendWaiting({ ...room, held: false, refusal: null }) : [room, []];
}

export function older(room) {
  if (room.firstId <= 1) return [room, []];
  return fetching(room, "older", room.firstId);
}

export function newer(room) {
  if (room.isAtEnd) return [room, []];
  return fetching(room, "newer", Math.min(room.endId + PAGE, room.lastId) + 1);
}

/** Show a message with what stands around it; 0 is the end of the log. */
export function jump(room, id) {
  const target = { ...room, target: id };
  if (id ? room.rows.some((row) => row.id === id) : room.isAtEnd) return [target, []];
  const before = id ? Math.min(id + PAGE / 2, room.lastId) + 1 : room.lastId + 1;
  return fetching({ ...target, fetching: null }, "around", before);
}

export function jumped(room) {
  return { ...room, target: null };
}

function fetching(room, what, before) {
  if (room.fetching || !room.isIn) return [room, []];
  return [{ ...room, fetching: { what, before } }, [{ type: "history", room: room.name, before, limit: PAGE }]];
}

/** One has read to the end of what is shown. */
export function seen(room) {
  if (!room.isAtEnd || room.readTo >= room.lastId) return room;
  return { ...room, readTo: room.lastId, called: 0 };
}

/** One leaves the room or the window: the line stands behind what was read, until one leaves again. */
export function left(room) {
  return room.unreadFrom === room.readTo ? room : { ...room, unreadFrom: room.readTo };
}

// What the server tells: (room, frame, {me, utcOffset, now}) -> [room, frames to be sent].

export const frames = {
  welcome: (room, frame) => {
    const restart = frame.reset || (room.epoch && frame.epoch && frame.epoch !== room.epoch);
    const fresh = restart ? { rows: waitingRows(room.rows), lastId: 0, firstId: 0, endId: 0, readTo: frame.head, isAtEnd: true } : {};
    const isNew = !room.lastId || restart;
    const outbox = room.outbox.map((message) => ({ ...message, again: message.again || message.sent, sent: false }));
    const next = { ...room, ...fresh, outbox, isIn: true, isJoining: false, refusal: null };
    return sendWaiting({
      ...next,
      name: frame.room,
      epoch: frame.epoch,
      count: frame.clients_count,
      users: frame.users,
      lastId: Math.max(next.lastId, isNew ? frame.head : 0),
      // Coming in anew; on coming back, what was missed is new.
      oldUntil: isNew ? frame.head : room.oldUntil,
      notOursUntil: isNew ? frame.head : room.notOursUntil,
      readTo: next.readTo < 0 || next.readTo > frame.head ? frame.head : next.readTo,
    });
  },

  history: (before, frame, about) => {
    const room = Object.values(frame.keys ?? {}).reduce(acknowledged, before);
    const rows = frame.messages.map((raw, index) => told(room, { ...readLine(raw), id: frame.first + index }, about));
    const all = frame.before === undefined ? withNew(room, rows, about) : withPage(room, rows, frame);
    return sendWaiting(all);
  },

  chat: (room, frame, about) => {
    const typing = room.typing.filter((one) => one.user !== frame.user);
    const next = acknowledged({ ...room, typing }, frame.key);
    const { id, user, text, timestamp: time, at } = frame;
    const row = told(room, { id, user, text, time, day: dayOf(at, about.utcOffset) }, about);
    return sendWaiting(withNew(next, [{ ...row, live: true }], about));
  },

  system: (room, frame, { me }) => {
    if (frame.users) return [{ ...room, users: frame.users, count: frame.clients_count }, []];
    const gone = new Set(frame.left);
    const users = [...new Set([...room.users.filter((user) => !gone.has(user)), ...frame.joined])];
    // Whoever was here before the connection was lost has not come: he has come back, as we have.
    const known = new Set([me, ...room.wereHere, ...room.users]);
    const toldOf = new Set([...frame.joined, ...frame.left]);
    const wereHere = room.wereHere.filter((user) => !toldOf.has(user));
    const next = { ...room, users, wereHere, count: frame.clients_count };
    const joined = frame.joined.filter((user) => !known.has(user));
    const isNews = joined.length || frame.left.length || !frame.joined.length;
    return [isNews && room.isAtEnd ? withNotice(next, { joined, left: frame.left, text: frame.text }) : next, []];
  },

  typing: (room, frame, { now }) => {
    const others = room.typing.filter((one) => one.user !== frame.user);
    return [{ ...room, typing: [...others, { user: frame.user, until: now + TYPING_MS }] }, []];
  },

  error: (room, frame) => {
    const refusal = { code: frame.code, text: frame.text };
    // Nothing of what waits is lost, and its order stays: the server refuses all until then.
    if (frame.key && frame.code === "too_fast") {
      const outbox = room.outbox.map((message) => ({ ...message, sent: false }));
      return [{ ...room, outbox, held: true, refusal }, []];
    }
    // The server ends after these: what was refused waits, and is said again to the next one.
    const isSaidAgain = frame.code === "not_stored" || frame.code === "going_down";
    if (!frame.key || isSaidAgain) return [{ ...room, refusal, fetching: null }, []];
    const outbox = room.outbox.filter((message) => message.key !== frame.key);
    const rows = room.rows.map((row) => (row.key === frame.key && !row.id ? { ...row, status: "failed", refusal } : row));
    return sendWaiting({ ...room, outbox, rows, refusal });
  },
};

// What waits is sent in order, and not more of it than may be on its way at once.
function sendWaiting(room) {
  if (!room.isIn || room.held) return [room, []];
  let free = ON_THE_WAY_AT_MOST - room.outbox.filter((message) => message.sent).length;
  const sent = [];
  const outbox = room.outbox.map((message) => {
    if (message.sent || free <= 0) return message;
    free -= 1;
    const { key, text, after } = message;
    const frame = { type: "chat", room: room.name, text, key };
    sent.push(message.again ? { ...frame, after } : frame);
    return { ...message, sent: true };
  });
  return sent.length ? [{ ...room, outbox }, sent] : [room, []];
}

// One's own message was heard back: it waits no more, and stands where the server has put it.
function acknowledged(room, key) {
  const outbox = room.outbox.filter((message) => message.key !== key);
  if (outbox.length === room.outbox.length) return room;
  return { ...room, outbox, rows: room.rows.filter((row) => row.id || row.key !== key) };
}

function told(room, message, { me }) {
  const own = message.user === me;
  const called = !own && mentions(message.text, me);
  return { kind: "message", ...message, own, called, old: message.id <= room.oldUntil, status: "told" };
}

// Messages that are new: in front of those that wait, if the end of the log is what is shown.
function withNew(room, given, { me }) {
  const rows = given.filter((row) => row.id > room.endId && (row.id > room.lastId || row.old));
  if (!rows.length) return room;
  const lastId = Math.max(room.lastId, rows.at(-1).id);
  const called = room.called + rows.filter((row) => row.called && row.id > Math.max(room.readTo, room.oldUntil)).length;
  const isOwn = rows.at(-1).user === me && rows.at(-1).id > room.oldUntil;
  // Who speaks has read.
  const readTo = isOwn && room.isAtEnd && room.readTo >= rows[0].id - 1 ? lastId : room.readTo;
  const next = { ...room, lastId, called, readTo };
  if (!room.isAtEnd) return next;
  const all = behindTold(room.rows, rows);
  return trimmed({ ...next, rows: all, firstId: room.firstId || rows[0].id, endId: lastId }, "older");
}

// A page that was asked for.
function withPage(room, rows, { first, before }) {
  if (room.fetching?.before !== before) return room;
  const { what } = room.fetching;
  const asked = { ...room, fetching: null };
  if (!rows.length) return asked;
  const last = rows.at(-1).id;
  const old = rows.map((row) => ({ ...row, old: true }));
  if (what === "around") {
    const isAtEnd = last >= room.lastId;
    return { ...asked, rows: [...old, ...waitingRows(room.rows)], firstId: first, endId: last, isAtEnd };
  }
  if (what === "older" && last === room.firstId - 1) {
    return trimmed({ ...asked, rows: [...old, ...room.rows], firstId: first }, "newer");
  }
  if (what === "newer" && first <= room.endId + 1) {
    const added = rows.filter((row) => row.id > room.endId);
    const next = { ...asked, rows: behindTold(room.rows, added), endId: last, isAtEnd: last >= room.lastId };
    return trimmed(next, "older");
  }
  return asked;
}

// The window stays small: what is farthest from where one looks is let go.
function trimmed(room, side) {
  const { rows } = room;
  if (rows.length <= ROWS_AT_MOST) return room;
  const kept = side === "older" ? rows.slice(-ROWS_KEPT) : [...rows.slice(0, ROWS_KEPT), ...waitingRows(rows.slice(ROWS_KEPT))];
  const ids = kept.filter((row) => row.id);
  const endId = ids.at(-1)?.id ?? room.endId;
  return { ...room, rows: kept, firstId: ids[0]?.id ?? room.firstId, endId, isAtEnd: endId >= room.lastId };
}

// Comings and goings that follow each other are one row; who came and went meanwhile is in none of them.
function withNotice(room, { joined, left, text }) {
  const end = room.rows.findLastIndex((row) => row.status !== "waiting");
  const above = room.rows[end];
  if (above?.kind !== "system") return { ...room, rows: behindTold(room.rows, [{ kind: "system", joined, left, text }]) };
  const without = (names, others) => names.filter((name) => !others.includes(name));
  const both = {
    kind: "system",
    joined: [...new Set([...without(above.joined, left), ...without(joined, above.left)])],
    left: [...new Set([...without(above.left, joined), ...without(left, above.joined)])],
    text,
  };
  const rows = [...room.rows];
  rows.splice(end, 1, ...(both.joined.length || both.left.length ? [both] : []));
  return { ...room, rows };
}

function behindTold(rows, added) {
  const end = rows.findLastIndex((row) => row.status !== "waiting" && row.status !== "failed") + 1;
  return [...rows.slice(0, end), ...added, ...rows.slice(end)];
}

function waitingRows(rows) {
  return rows.filter((row) => row.kind === "message" && !row.id);
}
