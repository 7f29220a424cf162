// Many rooms: opening one, leaving one, the list of all. Pure.

import { DEFAULT_ROOM, roomName } from "../protocol.js";
import { onScreen } from "../reading/state.js";
import { away, label, newRoom } from "../room.js";
import { join, joinAll, roomOf, send, withRoom } from "../state.js";

export const ROOMS_AT_MOST = 100; // the server's limit for a connection

const LISTED_AT_MOST = 5000;
const MORE = "more"; // the key of a request for a further page

/** @type {Feature["events"]} */
const events = {
  /** Shows a room, and joins it. `isMeant`: also if that makes a new one. */
  openRoom: (state, { name: given, invite, isMeant }, { step }) => {
    const name = roomName(given);
    if (!name) return step(state, { type: "showRefusal", refusal: { code: "bad_room" } });
    const known = roomOf(state, name);
    if (!known && Object.keys(state.rooms).length >= ROOMS_AT_MOST) {
      return step(state, { type: "showRefusal", refusal: { code: "too_many_rooms" } });
    }
    if (name === state.current && !(isMeant && known && !known.isJoined)) return [state, []];
    const listed = state.listed.find((room) => room.name === name);
    const { kind, peer } = listed ?? {};
    const mustExist = !isMeant && (known ? known.mustExist : !listed && name !== DEFAULT_ROOM);
    const next = withRoom(state, onScreen({ ...(known ?? newRoom(name, { kind, peer })), invite, mustExist }));
    const hidden = state.hidden?.filter((other) => other !== name);
    return join({ ...next, current: name, search: state.search?.isEverywhere ? state.search : null, hidden }, name);
  },

  /** Leaves a room: at the user's request, which they can undo for some seconds, or after a refusal. The last room stays. */
  leaveRoom: (state, { name, refusal, undo }, { step }) => {
    const { [name]: gone, ...others } = state.rooms;
    const isOnly = !Object.keys(others).length;
    if (!gone || (isOnly && !(refusal && name !== DEFAULT_ROOM))) return [state, []];
    const why = refusal && { ...refusal, where: label(gone).replace(/^…$/, "") };
    const rooms = isOnly ? { [DEFAULT_ROOM]: newRoom(DEFAULT_ROOM) } : others;
    const [last] = Object.keys(rooms).slice(-1);
    const current = name === state.current ? last : state.current;
    if (why && gone.outbox.length) {
      const kept = withRoom({ ...state, busy: false }, { ...gone, isJoining: false, refusal: why });
      return joinAll(kept, Object.keys(others));
    }
    const listed = state.listed.filter((room) => !refusal || room.name !== name);
    const [next, effects] = joinAll({ ...state, rooms, listed, current });
    if (why && name !== state.current && why.code === "not_invited") return [next, effects]; // of the person who used this device before
    if (why) return [next.rooms[current].isJoined ? step(next, { type: "showRefusal", refusal: why })[0] : { ...next, toast: why }, effects];
    const hidden = gone.peer ? [...(next.hidden ?? []), name] : next.hidden;
    const toast = undo ? { word: "leftRoom", where: label(gone), left: { room: away(gone), ...undo } } : next.toast;
    return [{ ...next, hidden, toast }, gone.isJoined ? [...effects, send({ type: "leave", room: name })] : effects];
  },

  /** Back into a room that the user has just left, as it was. */
  undoLeave: (state, { room, draft }, { step }) => {
    const there = roomOf(state, room.name) ? state : withRoom(state, room);
    const [next, effects] = step({ ...there, toast: null }, { type: "openRoom", name: room.name });
    return [next, draft ? [{ do: "keepDraft", name: room.name, text: draft }, ...effects] : effects];
  },

  /** The server normalised the name of a requested room differently. */
  roomRenamed: (state, { frame, now, at }, { step }) => {
    const isRequested = (/** @type {Room} */ { name, isJoining }) => isJoining && (name === state.current || !state.rooms[state.current].isJoining);
    const requested = Object.values(state.rooms).find(isRequested);
    if (!requested) return [state, []];
    const { [requested.name]: _, ...others } = state.rooms;
    const rooms = { ...others, [frame.room]: { ...requested, name: frame.room } };
    const current = requested.name === state.current ? frame.room : state.current;
    return step({ ...state, rooms, current }, { type: "frame", frame, now, at });
  },

  /** Asks for the first page of the list of rooms; or for one more page, if there is one, as long as the list is not too long. */
  listRooms: (state, { more }) => {
    const after = more && state.listed.length < LISTED_AT_MOST ? state.moreRooms : "";
    if (state.connection !== "open" || (more && !after)) return [state, []];
    // Nothing goes on from a page that will be replaced, and nobody asks twice for the same.
    return [{ ...state, moreRooms: "" }, [send({ type: "rooms", ...(after ? { after, key: MORE } : { watch: true }) })]];
  },
};

/** @type {Feature["frames"]} */
const frames = {
  rooms: (state, { rooms: page, key, next: moreRooms }) => [{ ...state, listed: key === MORE ? [...state.listed, ...page] : page, moreRooms }, []],

  /** A new room, which everybody may join. */
  place: (state, { room: name }) =>
    state.listed.some((room) => room.name === name) ? [state, []] : [{ ...state, listed: [...state.listed, { name, clients_count: 1 }] }, []],

  error: (state, frame, { step, next }) => {
    const { code, text, key, room } = frame;
    if (code === "no_such_room" && !key) {
      const asked = roomOf(state, room);
      if (!asked?.isJoining) return [state, []]; // it was left meanwhile
      const there = withRoom(state, away(asked));
      if (!asked.mustExist) return join(there, asked.name); // the user has said meanwhile that they mean it
      const isElsewhere = asked.name !== state.current && !asked.outbox.length; // the user has gone on meanwhile
      return isElsewhere ? step(there, { type: "leaveRoom", name: asked.name }) : [there, [{ do: "askForRoom", name: asked.name }]];
    }
    // The user is no longer a member, or the room was closed for people who have fewer; what is unsent stays.
    const left = /not_invited|too_many_rooms|room_gone/.test(code) && !key && roomOf(state, room);
    if (!left || !left.isJoined) return next();
    return step(withRoom(state, away(left)), { type: "leaveRoom", name: left.name, refusal: { code, text } });
  },
};

/** @type {Feature} */
export const rooms = { events, frames };
