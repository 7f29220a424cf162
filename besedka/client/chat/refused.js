// What becomes of a message that was refused, and of the refusal. Pure.

import { acts, frames, sendWaiting, unsent, without } from "./room.js";
import { handlers, inItsRoom, roomOf } from "./state.js";

handlers.refused = (state, { name, frame, now }) => {
  const { code, key, retry_after: seconds } = frame;
  const [next, effects] = inItsRoom(state, { ...frame, room: name }, now);
  const later = { do: "later", seconds, event: { type: "sayAgain", name } };
  return [next, code === "too_fast" && key && !roomOf(state, name)?.held ? [...effects, later] : effects];
};

frames.error = (room, { code, text, key, retry_after: wait }) => {
  const refused = { ...room, refusal: { code, text, wait } };
  // Nothing of what waits is lost, and its order stays: the server refuses all until then.
  if (key && code === "too_fast") return [{ ...refused, outbox: unsent(room), held: true }, []];
  // The server ends after these: what was refused waits, and is said again to the next one.
  if (!key || code === "not_stored" || code === "going_down") return [{ ...refused, fetching: null }, []];
  const outbox = room.outbox.filter((message) => message.key !== key);
  const fail = (row) => (row.key === key ? { ...row, status: "failed", refusal: refused.refusal } : row);
  const rows = room.rows.map(fail);
  // It is shown with the message, if that is shown.
  const isShown = rows.some((row) => row.key === key);
  return sendWaiting({ ...refused, refusal: { ...refused.refusal, isShown }, outbox, rows });
};

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
