// Requests, matched with their responses by key, and toasts. Pure.

import { send } from "../state.js";

/** @type {Feature["events"]} */
const events = {
  /** `say` is posted in the room that the response opens. */
  request: (state, { frame, say }) => {
    if (state.connection !== "open") return [{ ...state, toast: { code: "away" } }, []];
    const requestCount = (state.requestCount ?? 0) + 1;
    const key = `ask-${requestCount}`;
    return [{ ...state, requestCount, pending: { ...state.pending, [key]: { frame, say } } }, [send(/** @type {ClientFrame} */ ({ ...frame, key }))]];
  },

  /** Shows a toast, or removes it. */
  toast: (state, { toast }) => [{ ...state, toast }, []],

  // It is unknown whether the pending requests were carried out.
  disconnected: (state, _, { next }) => {
    const toast = Object.keys(state.pending ?? {}).length ? { code: "away" } : state.toast;
    return next({ ...state, pending: {}, toast });
  },
};

/** @type {Feature["frames"]} */
const frames = {
  done: (state, { text, key }) => [{ ...answered(state, key)[1], toast: { text } }, []],

  error: (state, { code, text, key }, { next }) => {
    const [request, rest] = answered(state, key);
    return request ? [{ ...rest, toast: { code, text } }, []] : next();
  },
};

/** @type {Feature} */
export const requests = { events, frames };

/** Takes the request with this key out of those that are pending: [request, state]. @type {(state: State, key?: string) => [PendingRequest | null, State]} */
export function answered(state, key = "") {
  if (!state.pending || !Object.hasOwn(state.pending, key)) return [null, state];
  const { [key]: request, ...pending } = state.pending;
  return [request, { ...state, pending }];
}
