// Changed rights and redactions. Pure.

import { roomOf, withRoom } from "../state.js";

/** @type {Feature} */
export const moderation = {
  frames: {
    /** The user's rights in a room changed. */
    rights: (state, { room: name, may }) => {
      const room = roomOf(state, name);
      if (!room) return [state, []];
      const [was, is] = [room.may, may].map((rights) => Boolean(rights?.includes("moderate")));
      const toast = was === is ? state.toast : { word: is ? "isModerator" : "isNoModerator" };
      return [withRoom({ ...state, toast }, { ...room, may }), []];
    },

    /** A message was redacted. */
    redacted: (state, { room: name, id, text }) => {
      const room = roomOf(state, name);
      if (!room) return [state, []];
      const rows = room.rows.map((row) => (row.id === id ? { ...row, text, isRemoved: true, mentioned: false } : row));
      return [withRoom(state, { ...room, rows }), []];
    },
  },
};
