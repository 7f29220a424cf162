// Connections that the server closed for good, and what helps: a key, a link, waiting. Pure.

import { NO_RECONNECT_CODES } from "../protocol.js";
import { toLogin } from "../refusals/state.js";
import { here, roomOf } from "../state.js";

/** @type {Record<number, string>} */
const PROBLEMS = {
  [NO_RECONNECT_CODES.NO_ACCESS]: "no_access",
  [NO_RECONNECT_CODES.KICKED]: "kicked",
  [NO_RECONNECT_CODES.BANNED]: "banned",
  [NO_RECONNECT_CODES.UNKNOWN]: "not_known",
};

/** @type {Feature} */
export const access = {
  events: {
    connectionRefused: (state, { code }) => {
      const { reason = "", ...next } = state;
      const problem = PROBLEMS[code] ? { code: PROBLEMS[code], text: reason } : { code: "closed", text: String(code) };
      return [toLogin({ ...next, connection: "closed" }, state.problem?.code === problem.code ? state.problem : problem), []];
    },
  },
  frames: {
    // The reason arrives before the close.
    error: (state, { code, text, key, room }, { next }) => {
      if (key || (code !== "banned" && code !== "not_allowed")) return next();
      const explained = { ...state, reason: text };
      const { isJoining } = roomOf(state, room) ?? here(state);
      return code === "banned" || isJoining ? next(explained) : [explained, []];
    },
  },
};
