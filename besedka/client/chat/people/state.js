// The people of a room: joining, leaving, typing. Pure.

import { dayOf } from "../protocol.js";
import { behindDelivered } from "../room.js";

export const TYPING_SHOWN_MS = 4000;
const RENAMINGS_AT_MOST = 5; // in one row

/** @type {Feature["roomEvents"]} */
const roomEvents = {
  typing: (room) => [room, room.isJoined ? [{ type: "typing", room: room.name }] : []],
};

/** @type {Feature["roomFrames"]} */
const roomFrames = {
  typing: (room, { user }, _, { now }) => {
    const others = room.typing.filter((entry) => entry.user !== user);
    return [{ ...room, typing: [...others, { user, until: now + TYPING_SHOWN_MS }] }, []];
  },

  system: (room, { users, joined, left, renamed = {}, slow, archived, text, timestamp, clients_count: count }, { me, utcOffset }, { at }) => {
    if (users) return [{ ...room, users, count }, []];
    // People present before the connection was lost did not join: they reconnected, as this user did.
    const known = [me, ...room.usersBefore, ...room.users];
    // Whoever changes their name is in `left` by the old one, and in `joined` by the new one.
    const changed = Object.entries(renamed);
    const names = changed.flat();
    const isOfMode = slow !== undefined || archived !== undefined;
    const day = dayOf(at, utcOffset, timestamp);
    const notice = { joined: minus(joined, [...known, ...names]), left: minus(left, names), renamed: changed, isOfMode, text, day };
    const next = {
      ...room,
      users: [...new Set([...minus(room.users, left), ...joined])],
      usersBefore: minus(room.usersBefore, [...joined, ...left]),
      count,
      isArchived: archived ?? room.isArchived,
    };
    const isNews = notice.joined.length || left.length || !joined.length;
    return [isNews && room.isAtEnd ? withNotice(next, notice) : next, []];
  },
};

/** @type {Feature} */
export const people = { roomEvents, roomFrames };

/**
 * Consecutive notices of a day are one row, but for those of the room's mode; people who joined and left in between are in none.
 * @type {(room: Room, notice: {joined: string[], left: string[], renamed: [string, string][], isOfMode: boolean, text: string, day: string}) => Room}
 */
function withNotice(room, notice) {
  /** @type {Row} */
  const row = { kind: "system", ...notice };
  const end = room.rows.findLastIndex((row) => !row.key);
  const above = room.rows[end];
  if (row.isOfMode || above?.isOfMode || above?.kind !== "system" || above.day !== row.day) return { ...room, rows: behindDelivered(room.rows, [row]) };
  const { joined: joinedBefore = [], left: leftBefore = [], renamed: renamedBefore = [] } = above;
  const joined = [...new Set([...minus(joinedBefore, notice.left), ...minus(notice.joined, leftBefore)])];
  const left = [...new Set([...minus(leftBefore, notice.joined), ...minus(notice.left, joinedBefore)])];
  const renamed = [...renamedBefore, ...notice.renamed].slice(-RENAMINGS_AT_MOST);
  const both = joined.length || left.length || renamed.length ? [{ ...row, joined, left, renamed }] : [];
  return { ...room, rows: [...room.rows.slice(0, end), ...both, ...room.rows.slice(end + 1)] };
}

/** @type {(names: string[], others: string[]) => string[]} */
function minus(names, others) {
  return names.filter((name) => !others.includes(name));
}
