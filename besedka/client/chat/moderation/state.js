// What moderators may do, and what everybody sees of it. Pure.

import { roomOf, withRoom } from "../state.js";

/** @type {Feature} */
export const moderation = {
  frames: {
    /** The rights of this user in a room have changed. */
    rights: (state, { room: name, may }) => {
      const room = roomOf(state, name);
      if (!room) return [state, []];
      const [was, is] = [room.may, may].map((rights) => Boolean(rights?.includes("moderate")));
      const toast = was === is ? state.toast : { word: is ? "isModerator" : "isNoModerator" };
      return [withRoom({ ...state, toast }, { ...room, may }), []];
    },

    /** The text of a message was removed. */
    redacted: (state, { room: name, id, text }) => {
      const room = roomOf(state, name);
      if (!room) return [state, []];
      const rows = room.rows.map((row) => (row.id === id ? { ...row, text, isRemoved: true, mentioned: false } : row));
      return [withRoom(state, { ...room, rows }), []];
    },
  },
};
