// One room of the state. Pure; types/page.d.ts describes the fields.
//
// Rows, oldest first: messages (with an id), notices, then the outbox (with a key). They are replaced, never changed: views
// compare them. They are a window on the log: if it ends before the log, new messages are only counted.

import { DEFAULT_ROOM, dayOf, mentions, readLine } from "./protocol.js";

const ROWS_AT_MOST = 400; // others are fetched
const ROWS_KEPT = 300;
export const IN_FLIGHT_AT_MOST = 32; // sent and not delivered

/** @type {(name: string, known?: Partial<Room>) => Room} known: from earlier visits */
export const newRoom = (name, known) => ({
  name,
  isJoined: false,
  isJoining: false,
  rows: [],
  isAtEnd: true,
  outbox: [],
  isThrottled: false,
  lastId: 0,
  firstId: 0,
  endId: 0,
  epoch: "",
  count: 0,
  users: [],
  isArchived: false,
  typing: [],
  usersBefore: [],
  oldUntil: 0,
  provenFrom: 0,
  fetching: null,
  target: null,
  day: "",
  isFollowing: true,
  readTo: -1,
  unreadFrom: -1,
  rewinds: 0,
  markedId: 0,
  isKeptUnread: false,
  mark: -1,
  mentions: 0,
  notice: "mentions",
  refusal: null,
  ...known,
});

/** A room that an address names: but for the default one it may be mistyped. @type {(name: string) => Room} */
export const addressedRoom = (name) => newRoom(name, { mustExist: name !== DEFAULT_ROOM });

/** The title of a room. @type {(room: Pick<Room, "name" | "kind" | "peer">) => string} */
export const label = ({ name, kind, peer }) => peer || (name.startsWith("direct-") ? "…" : kind ? name : `# ${name}`);

/** How many are unread. @type {(room: Room) => number} */
export const unread = ({ readTo, lastId }) => (readTo < 0 ? 0 : Math.max(0, lastId - readTo));

/** Whether the user has marked a message as unread, and not read on from there: then marks of other devices do not count. @type {(room: Room) => boolean} */
export const isHeldBack = ({ rewinds, markedId, readTo }) => rewinds > 0 && readTo < markedId;

/** The room after another login. @type {RoomEdit} */
export const renewed = ({ name, readTo, rewinds, markedId, epoch, notice, target, day, kind, peer, invite, mustExist }) =>
  newRoom(name, { readTo, rewinds, markedId, epoch, notice, target, day, kind, peer, invite, mustExist });

/** @type {(room: Room, state: State, more?: {rename?: true}) => ClientFrame} */
export function joining({ name, lastId, endId, isAtEnd, epoch, invite, mustExist }, { me, secret }, more) {
  const id = isAtEnd ? endId : lastId;
  const since = id ? { since: id, epoch } : {};
  return { type: "join", room: name, user: me, secret, ...(invite && { invite }), ...(mustExist && { must_exist: true }), ...since, ...more };
}

/** @type {RoomEdit} */
export function away(room) {
  const usersBefore = room.isJoined ? room.users : room.usersBefore;
  const day = room.fetching?.what === "since" ? room.fetching.day : room.day;
  return { ...room, day, isJoined: false, isJoining: false, isThrottled: false, typing: [], fetching: null, outbox: unsent(room), usersBefore };
}

/** Takes up a message of another tab or an earlier visit. @type {(room: Room, message: Unsent, me: string) => Room} */
export const restored = (room, { key, text, after }, me) =>
  room.rows.some((row) => row.key === key) ? room : withWaiting(room, { key, text, after, again: true }, me);

/** @type {Feature["roomEvents"]} */
export const roomEvents = {
  invited: (room, { invite }) => [{ ...room, invite }, []],
  say: (room, { key, text }, { me }) => sendWaiting(withWaiting(room, { key, text, after: room.lastId }, me)),
};

/** @type {Feature["roomFrames"]} */
export const roomFrames = {
  welcome: (room, { reset, epoch, head, clients_count: count, users, kind, peer, may, archived = false, read_up_to: mark = -1 }) => {
    const isReplaced = reset || (room.epoch && epoch && epoch !== room.epoch);
    const { name, notice, target, day, isFollowing } = room;
    const anew = isReplaced && { ...newRoom(name, { notice, target, day, isFollowing }), rows: waitingRows(room.rows) };
    const outbox = unsent(room);
    const next = { ...room, ...anew, epoch, count, users, kind, peer, may, outbox, mark, isArchived: archived, isJoined: true, isJoining: false, refusal: null, invite: undefined, mustExist: false };
    // What was here before may have been redacted meanwhile.
    next.provenFrom = next.endId && next.endId + 1;
    // First all messages are old; after a reconnect, missed ones are new.
    if (!next.lastId) next.lastId = next.oldUntil = head;
    if (next.readTo < 0 || next.readTo > head) next.readTo = mark > 0 ? mark : head;
    else if (mark > next.readTo && !isHeldBack(next)) Object.assign(next, { readTo: mark, mentions: mark < head ? next.mentions : 0 });
    if (next.readTo < head) next.unreadFrom = next.readTo;
    return sendWaiting(next);
  },

  history: (room, frame, state) => sendWaiting(withNew(acknowledged(room, frame), rowsOf(room, frame, state))),

  chat: (room, frame, state) => {
    const { key, id, user, text, timestamp: time, at } = frame;
    const row = delivered(room, { id, user, text, time, day: dayOf(at, state.utcOffset, time), live: true }, state, frame.unverified);
    const typing = room.typing.filter((entry) => entry.user !== user);
    return sendWaiting(withNew(without({ ...room, typing }, key, id), [row]));
  },
};

/** Sends the outbox in order, as far as it may be in flight. @type {(room: Room) => RoomChange} */
export function sendWaiting(room) {
  if (!room.isJoined || room.isThrottled) return [room, []];
  let free = IN_FLIGHT_AT_MOST - room.outbox.filter((message) => message.sent).length;
  /** @type {ClientFrame[]} */
  const sent = [];
  const outbox = room.outbox.map((message) => {
    if (message.sent || free <= 0) return message;
    free -= 1;
    const { key, text, after, again } = message;
    sent.push({ type: "chat", room: room.name, text, key, ...(again && { after }) });
    return { ...message, sent: true };
  });
  return [sent.length ? { ...room, outbox } : room, sent];
}

/** The outbox after a loss: what was in flight may be stored, behind `lastId`. @type {(room: Room) => Unsent[]} */
export const unsent = ({ outbox, lastId }) =>
  outbox.map((message) => ({ ...message, sent: false, ...(!message.again && { again: message.sent, after: lastId }) }));

/** @type {(room: Room, message: Unsent, me: string) => Room} */
function withWaiting(room, message, me) {
  const { key, text } = message;
  /** @type {Row} */
  const row = { kind: "message", key, user: me, text, own: true, status: "waiting" };
  return { ...room, refusal: null, outbox: [...room.outbox, message], rows: [...room.rows, row] };
}

/** Takes a message out of the outbox; what was posted behind it is stored behind it. @type {(room: Room, key?: string, id?: number) => Room} */
export function without(room, key, id = 0) {
  if (!key || !room.rows.some((row) => row.key === key)) return room;
  const at = room.outbox.findIndex((message) => message.key === key);
  const others = (/** @type {{key?: string}} */ entry) => entry.key !== key;
  const outbox = room.outbox
    .map((message, index) => (at >= 0 && index > at && (message.after ?? 0) < id ? { ...message, after: id } : message))
    .filter(others);
  return { ...room, outbox, rows: room.rows.filter(others) };
}

/** @type {(room: Room, frame: ServerFrames["history"]) => Room} */
export const acknowledged = (room, { keys = {} }) => Object.entries(keys).reduce((now, [id, key]) => without(now, key, Number(id)), room);

/** @type {RowsOf} */
export const rowsOf = (room, { first, messages, unverified }, state) =>
  messages.map((raw, index) => delivered(room, { ...readLine(raw), id: first + index }, state, unverified));

/** @type {RowOf} */
function delivered(room, message, { me }, unverified) {
  const { id, user, text } = message;
  const own = user === me;
  const isUnverified = !own && Boolean(Array.isArray(unverified) ? unverified.includes(id) : unverified);
  return { kind: "message", ...message, own, mentioned: !own && mentions(text, me), isUnverified, old: id <= room.oldUntil, status: "delivered" };
}

/** @type {(room: Room, given: Row[]) => Room} */
function withNew(room, given) {
  const rows = given.filter(({ id = 0, old }) => id > room.endId && (id > room.lastId || old));
  const last = rows.at(-1);
  if (!last?.id) return room;
  const first = rows[0].id ?? 0;
  const lastId = Math.max(room.lastId, last.id);
  const mentioning = rows.filter(({ id = 0, own, mentioned }) => (mentioned || (room.peer && !own)) && id > room.readTo);
  // Posting marks as read.
  const readTo = last.own && !last.old && room.isAtEnd && room.readTo >= first - 1 ? lastId : room.readTo;
  // Rows that are read further up stay.
  const isAtEnd = room.isAtEnd && (room.isFollowing || room.rows.length + rows.length <= ROWS_AT_MOST);
  const next = { ...room, isAtEnd, lastId, mentions: room.mentions + mentioning.length, readTo };
  if (!isAtEnd) return next;
  return trimmed({ ...next, rows: behindDelivered(room.rows, rows), firstId: room.firstId || first, endId: last.id });
}

/** Drops the rows farthest from the reader. @type {(room: Room, isReadingAbove?: boolean) => Room} */
export function trimmed(room, isReadingAbove) {
  const all = room.rows.filter((row) => !row.key);
  if (all.length <= ROWS_AT_MOST) return room;
  const kept = isReadingAbove ? all.slice(0, ROWS_KEPT) : all.slice(-ROWS_KEPT);
  const firstId = kept.find((row) => row.id)?.id ?? 0;
  const endId = kept.findLast((row) => row.id)?.id ?? 0;
  return { ...room, rows: [...kept, ...waitingRows(room.rows)], firstId, endId, isAtEnd: endId >= room.lastId };
}

/** @type {(rows: Row[], added: Row[]) => Row[]} */
export function behindDelivered(rows, added) {
  const end = rows.findLastIndex((row) => !row.key) + 1;
  return [...rows.slice(0, end), ...added, ...rows.slice(end)];
}

/** @type {(rows: Row[]) => Row[]} */
export const waitingRows = (rows) => rows.filter((row) => row.key);
