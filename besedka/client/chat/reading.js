// How far one has read, and how the window that the rows are on a room's log is moved: pages are asked for, and come. Pure.

import { acts, behindTold, frames, trimmed, unread, waitingRows } from "./room.js";
import { handlers, here, withRoom } from "./state.js";

const PAGE = 50;

/** The page is before one's eyes, or no more. */
handlers.look = (state, { isLooking }) => {
  const next = { ...state, isLooking };
  return [isLooking ? withRoom(next, come(here(next))) : next, []];
};

/** One comes to look at a room: where the line of what is new stands. */
export function come(room) {
  return { ...room, unreadFrom: unread(room) ? room.readTo : -1 };
}

Object.assign(acts, {
  /** One has read to the end of what is shown. */
  seen: (room, _, { isLooking }) => (isLooking && room.isAtEnd ? acts.read(room, { readTo: room.lastId }) : [room, []]),

  /** One has read to here, perhaps in another tab. */
  read: (room, { readTo }) => {
    if (readTo <= room.readTo) return [room, []];
    return [{ ...room, readTo, called: readTo < room.lastId ? room.called : 0 }, []];
  },

  /** One sees the end, or has gone up. */
  follow: (room, { on }) => [{ ...room, isFollowing: on }, []],

  older: (room) => (room.firstId > 1 ? ask(room, "older", room.firstId) : [room, []]),
  newer: (room) => (room.isAtEnd ? [room, []] : ask(room, "newer", Math.min(room.endId + PAGE, room.lastId) + 1)),

  /** Show a message with what stands around it; 0 is the end of the log. */
  jump: (room, { id }) => {
    const target = room.lastId && id > room.lastId ? 0 : id;
    const next = { ...room, target };
    if (target ? room.rows.some((row) => row.id === target) : room.isAtEnd) return [next, []];
    const before = target ? Math.min(target + PAGE / 2, room.lastId) : room.lastId;
    return ask({ ...next, fetching: null }, "around", before + 1);
  },
  jumped: (room) => [{ ...room, target: null }, []],
});

frames.page = (room, rows, { first, before }) => {
  if (room.fetching?.before !== before) return room;
  const { what } = room.fetching;
  const next = { ...room, fetching: null };
  const last = rows.at(-1)?.id;
  if (!last) return next;
  const old = rows.map((row) => ({ ...row, old: true }));
  const end = { endId: last, isAtEnd: last >= room.lastId };
  if (what === "around") return { ...next, ...end, rows: [...old, ...waitingRows(room.rows)], firstId: first };
  if (what === "newer" && first <= room.endId + 1) {
    return trimmed({ ...next, ...end, rows: behindTold(room.rows, old.filter((row) => row.id > room.endId)) });
  }
  if (what !== "older" || last !== room.firstId - 1) return next;
  return trimmed({ ...next, rows: [...old, ...room.rows], firstId: first }, true);
};

function ask(room, what, before) {
  if (room.fetching || !room.isIn) return [room, []];
  return [{ ...room, fetching: { what, before } }, [{ type: "history", room: room.name, before, limit: PAGE }]];
}
