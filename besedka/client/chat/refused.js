// What becomes of a message that was refused, and of the refusal. Pure.

import { acts, sendWaiting, without } from "./room.js";

Object.assign(acts, {
  /** Say once more what was refused. */
  again: (room, { key }, { me }) => {
    const row = room.rows.find((one) => one.key === key && one.status === "failed");
    return row ? acts.say(without(room, key), row, { me }) : [room, []];
  },

  /** It shall not be said; or another tab has heard that it was. */
  discard: (room, { key }) => [without({ ...room, refusal: null }, key), []],

  /** What was too much at once may be said now. */
  sayAgain: (room) => (room.held ? sendWaiting({ ...room, held: false, refusal: null }) : [room, []]),

  refuse: (room, { refusal }) => [{ ...room, refusal }, []],
  forget: (room) => [{ ...room, refusal: null }, []],
});
