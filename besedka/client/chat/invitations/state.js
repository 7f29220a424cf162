// Invitations into a private room. Pure.

import { answered } from "../requests/state.js";

/** @type {Feature} */
export const invitations = {
  events: {
    request: (state, event, { next }) => next(event.frame.type === "invite" ? { ...state, invitation: null } : state),
  },
  frames: {
    invitation: (state, { room, token, uses, expires, key }) => [{ ...answered(state, key)[1], invitation: { room, token, uses, expires } }, []],
  },
};
