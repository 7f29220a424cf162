// Private and direct rooms. Pure.

import { answered } from "../requests/state.js";
import { newRoom } from "../room.js";
import { join, joinAll, roomOf, withRoom } from "../state.js";

/** @type {Feature["frames"]} */
const frames = {
  /** A room was opened: at this user's request, or by the peer of a direct room. */
  place: (state, { room: name, kind, peer, key }, { step }) => {
    const [request, next] = answered(state, key);
    const known = roomOf(next, name);
    const about = { kind, peer };
    const room = known ? { ...known, ...about } : newRoom(name, request ? about : { ...about, readTo: 0, isNew: true });
    const hidden = next.hidden?.filter((other) => other !== name);
    const there = withRoom({ ...next, hidden }, room);
    if (!request) return join(there, name);
    const [opened, joined] = step(there, { type: "openRoom", name });
    const [said, sent] = request.say ? step(opened, { type: "say", name, ...request.say }) : [opened, []];
    return [said, [...joined, ...sent]];
  },

  /** Messages posted in a direct room before this user joined it are news. */
  history: (_, frame, { next }) => {
    const [after, effects] = next();
    const room = roomOf(after, frame.room);
    if (!room?.isNew) return [after, effects];
    const last = room.rows.findLast(({ id, own }) => id && !own);
    const { id = 0, user = "", text = "" } = last ?? {};
    /** @type {Effect[]} */
    const received = last ? [{ do: "received", frame: { room: room.name, id, user, text } }] : [];
    return [withRoom(after, { ...room, isNew: false }), [...effects, ...received]];
  },

  /** Joins direct rooms that were opened while this user was away, except those that they have left. */
  rooms: (state, frame, { next }) => {
    const [after, effects] = next();
    if (state.scene !== "chat") return [after, effects];
    const readTo = state.isNewDevice ? -1 : 0;
    const isNew = (/** @type {{name: string, peer?: string}} */ { name, peer }) => peer && state.hidden && !state.hidden.includes(name) && !roomOf(state, name);
    const added = frame.rooms.filter(isNew).map(({ name, kind, peer }) => newRoom(name, { kind, peer, readTo }));
    const [joined, joins] = joinAll(added.reduce(withRoom, after));
    return [joined, [...effects, ...joins]];
  },
};

/** @type {Feature} */
export const privateRooms = { frames };
