// Navigation, preferences and logging out. Pure.

import { DEFAULT_ROOM, roomName } from "../protocol.js";
import { addressedRoom, joining, renewed } from "../room.js";
import { mapValues, newState, roomOf, send, withRoom } from "../state.js";

/** @type {Feature} */
export const application = {
  events: {
    setPreferences: (state, { permission, sound, hidden }) => [
      { ...state, ...(permission && { permission }), ...(sound !== undefined && { sound }), ...(hidden && { hidden }) },
      [],
    ],

    /** Follows an address of this page. */
    navigate: (state, { room, id, key, invite, name, device }, { step }) => {
      const [out, effects] = (device || name) && state.scene === "chat" ? logOut(state) : /** @type {Change} */ ([state, []]);
      if (device) return [{ ...out, busy: false, problem: { code: "device", token: device, name } }, effects];
      const current = roomName(room) || DEFAULT_ROOM;
      if (out.scene === "chat") {
        const [opened, more] = step(out, { type: "openRoom", name: current, invite });
        const [shown, asked] = id ? step(opened, { type: "jump", id }) : [opened, []];
        return [shown, [...more, ...asked]];
      }
      const { problem, secret } = out;
      const there = { ...(roomOf(out, current) ?? addressedRoom(current)), invite, target: id || null };
      const next = withRoom({ ...out, current, me: name || out.me, problem: null }, there);
      const isLetIn = key && problem?.code === "no_access" && next.me;
      return isLetIn ? step(next, { type: "logIn", name: next.me, secret }) : [next, effects];
    },

    /** Takes another name, which the server welcomes, in the rooms that are joined; the `welcome` has it. */
    rename: (state, { to }) => {
      const joined = Object.values(state.rooms).filter(({ isJoined }) => isJoined);
      return [state, joined.map((room) => send(joining(room, { ...state, me: to }, { rename: true })))];
    },

    logOut,
  },
  roomEvents: {
    setNotice: (room, { notice }) => [{ ...room, notice }, []],
  },
};

/** @type {(state: State) => Change} */
function logOut({ current, rooms, me, knownName, isFocused, permission, sound, hidden }) {
  const kept = { rooms: mapValues(rooms, renewed), me, knownName, isFocused, permission, sound, hidden };
  return [{ ...newState(current), scene: "login", ...kept }, [{ do: "disconnect" }]];
}
