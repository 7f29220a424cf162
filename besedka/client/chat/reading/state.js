// The read position, and the window of rows on a room's log: requests pages, and takes them in. Pure.

import { acknowledged, behindDelivered, isHeldBack, rowsOf, sendWaiting, trimmed, unread, waitingRows } from "../room.js";
import { beginningOf, isDate } from "../search/terms.js";
import { here, roomOf, withRoom } from "../state.js";

export const PAGE_MESSAGES = 50;

/** A room that comes onto the screen: the line above unread messages is where reading goes on. @type {(room: Room) => Room} */
export function onScreen(room) {
  return { ...room, unreadFrom: unread(room) ? room.readTo : -1, isKeptUnread: false };
}

/** @type {Feature["events"]} */
const events = {
  /** The window got or lost the focus. */
  focus: (state, { isFocused }) => {
    const next = { ...state, isFocused };
    const room = here(next);
    return [isFocused ? withRoom(next, { ...onScreen(room), isKeptUnread: room.isKeptUnread }) : next, []];
  },

  /** Posting marks as read what was kept unread. */
  say: (state, event, { next }) => {
    const room = roomOf(state, event.name ?? state.current);
    return next(room?.isKeptUnread ? withRoom(state, { ...room, isKeptUnread: false }) : state);
  },
};

/** @type {Feature["frames"]} */
const frames = {
  /** Shows the message named in the address, or the day that was asked for, once the room is joined. */
  welcome: (state, frame, { step, next }) => {
    const { room: name } = frame;
    const isKnown = roomOf(state, name);
    const [after, effects] = next();
    const { target = null, day = "" } = roomOf(after, name) ?? {};
    /** @type {PageEvent | false} */
    const wanted = day ? { type: "goto", name, day } : target !== null && { type: "jump", name, id: target };
    if (!isKnown || !wanted) return [after, effects];
    const [shown, more] = step(after, wanted);
    return [shown, [...effects, ...more]];
  },
};

/** @type {NonNullable<Feature["roomEvents"]>} */
const roomEvents = {
  /** The user has read up to the end of the window. */
  seen: (room, _, { isFocused }) => (isFocused && room.isAtEnd && !room.isKeptUnread ? read(room, room.lastId) : [room, []]),

  /** The user has read up to here in another tab, or has marked a message as unread there. */
  read: (room, { readTo, rewinds = 0 }) => {
    if (rewinds > room.rewinds) return [rewound(room, readTo, rewinds), []];
    return rewinds < room.rewinds ? [room, []] : read({ ...room, isKeptUnread: room.isKeptUnread && readTo <= room.readTo }, readTo);
  },

  /** The server is to know how far the user has read, if it does not yet. */
  markRead: (room) => (isMarkDue(room) ? [{ ...room, mark: room.readTo }, [{ type: "read", room: room.name, id: room.readTo }]] : [room, []]),

  /** The user has marked a message as unread: reading goes on there. */
  markUnread: (room, { id }) => [rewound(room, id - 1, room.rewinds + 1), []],

  /** The reader is at the end, or has scrolled up. */
  follow: (room, { isFollowing }) => [{ ...room, isFollowing }, []],

  loadOlder: (room) => (room.firstId > 1 ? fetchPage(room, "older", room.firstId) : [room, []]),
  loadNewer: (room) => (room.isAtEnd ? [room, []] : fetchPage(room, "newer", Math.min(room.endId + PAGE_MESSAGES, room.lastId) + 1)),

  /** Shows a message in its context; 0 is the end of the log. */
  jump: (room, { id }) => {
    const isMissing = room.isJoined && id > room.lastId;
    const target = isMissing ? 0 : id;
    const refusal = isMissing ? { code: "no_message", number: `${id}` } : room.refusal;
    // In a flood the row could be dropped before it is shown.
    const next = { ...room, target, day: "", refusal, isFollowing: room.isFollowing && !target, isKeptUnread: room.isKeptUnread && Boolean(id) };
    if (target ? room.rows.some((row) => row.id === target) : room.isAtEnd) return [next, []];
    const last = target ? Math.min(target + PAGE_MESSAGES / 2, room.lastId) : room.lastId;
    return fetchPage({ ...next, fetching: null }, "around", last + 1);
  },

  /** Shows the first message of a day, or of a later one; without a connection when it is back. */
  goto: (room, { day }, { utcOffset }) => {
    if (!isDate(day)) return [{ ...room, refusal: { code: "bad_date", date: day } }, []];
    if (!room.isJoined) return [{ ...room, day, refusal: { code: "not_connected" } }, []];
    const since = beginningOf(day, utcOffset);
    return [
      { ...room, day: "", target: null, fetching: { what: "since", since, day }, refusal: null },
      [{ type: "history", room: room.name, from_time: since, limit: PAGE_MESSAGES }],
    ];
  },

  /** The message is shown: a page that was requested for it would only replace its row. */
  jumped: (room) => [{ ...room, target: null, fetching: /^(around|since)$/.test(room.fetching?.what ?? "") ? null : room.fetching }, []],
};

/** @type {Feature["roomFrames"]} */
const roomFrames = {
  /** The user has read up to here on another device. */
  read: (given, { id }) => {
    const room = { ...given, mark: Math.max(given.mark, id) };
    return isHeldBack(room) ? [room, []] : read(room, id);
  },

  page: (given, frame, state) => {
    const room = acknowledged(given, frame);
    return sendWaiting(withPage(room, rowsOf(room, frame, state), frame));
  },
};

/** @type {Feature} */
export const reading = { events, frames, roomEvents, roomFrames };

/** Whether the server keeps marks, and knows of less than the user has read here. @type {(room: Room) => boolean} */
export const isMarkDue = (room) => room.isJoined && room.mark >= 0 && room.readTo > room.mark && !isHeldBack(room);

/** @type {(room: Room, readTo: number) => RoomChange} */
function read(room, readTo) {
  if (readTo <= room.readTo) return [room, []];
  const mentions = readTo < room.lastId ? Math.max(0, room.mentions - called(room, room.readTo, readTo)) : 0;
  return [{ ...room, readTo, mentions }, []];
}

/** @type {(room: Room, readTo: number, rewinds: number) => Room} */
function rewound(room, readTo, rewinds) {
  const mentions = Math.max(0, room.mentions + called(room, readTo, room.readTo) - called(room, room.readTo, readTo));
  return { ...room, readTo, unreadFrom: readTo, rewinds, markedId: readTo + 1, isKeptUnread: true, mentions };
}

/** How many messages behind one and up to another mention this user. @type {(room: Pick<Room, "rows" | "peer">, after: number, to: number) => number} */
export function called({ rows, peer }, after, to) {
  return rows.filter(({ id = 0, own, mentioned }) => id > after && id <= to && (mentioned || (peer && !own))).length;
}

/** @type {(room: Room, rows: Row[], page: {first: number, before?: number, from_time?: number}) => Room} */
function withPage(room, rows, { first, before, from_time }) {
  const { fetching } = room;
  if (!fetching || (fetching.what === "since" ? fetching.since !== from_time : fetching.before !== before)) return room;
  const { what } = fetching;
  const next = { ...room, fetching: null };
  const last = rows.at(-1)?.id;
  if (!last) return what === "since" ? { ...next, refusal: { code: "nothing_since", date: fetching.day } } : next;
  const old = rows.map((row) => ({ ...row, old: true }));
  const end = { endId: last, isAtEnd: last >= room.lastId };
  if (what === "since") Object.assign(next, { target: first, isFollowing: false });
  if (what === "around" || what === "since") return { ...next, ...end, rows: [...old, ...waitingRows(room.rows)], firstId: first };
  if (what === "newer" && first <= room.endId + 1) {
    return trimmed({ ...next, ...end, rows: behindDelivered(room.rows, old.filter(({ id = 0 }) => id > room.endId)) });
  }
  if (what !== "older" || last !== room.firstId - 1) return next;
  return trimmed({ ...next, rows: [...old, ...room.rows], firstId: first }, true);
}

/** Requests a page of the log, if the room waits for no other. @type {(room: Room, what: "older" | "newer" | "around" | "again", before: number) => RoomChange} */
export function fetchPage(room, what, before) {
  if (room.fetching || !room.isJoined) return [room, []];
  return [{ ...room, fetching: { what, before } }, [{ type: "history", room: room.name, before, limit: PAGE_MESSAGES }]];
}
