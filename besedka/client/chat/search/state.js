// Searching the whole log of a room. Pure.

import { readLine } from "../protocol.js";
import { send } from "../state.js";

const SEARCH_KEY = "search";

/** @type {Feature["events"]} */
const events = {
  search: (state, { text }) => {
    if (!text.trim()) return [{ ...state, search: null }, []];
    return look(state, { text, room: state.current, hits: [], before: 0 });
  },
  searchMore: (state) => (state.search?.before && !state.search.busy ? look(state, state.search) : [state, []]),
  endSearch: (state) => [{ ...state, search: null }, []],

  /** A search without a connection waits for one. */
  connected: (_state, _event, { next }) => {
    const [after, effects] = next();
    if (!after.search?.busy) return [after, effects];
    const [again, sent] = look(after, after.search);
    return [again, [...effects, ...sent]];
  },
};

/** @type {Feature["frames"]} */
const frames = {
  found: (state, { room, text, messages, ids, before, unverified }) => {
    const { search, me } = state;
    if (!search?.busy || text !== search.text || room !== search.room) return [state, []];
    const hits = ids.map((id, index) => {
      const message = readLine(messages[index]);
      return { id, ...message, isUnverified: Boolean(unverified?.includes(id)) && message.user !== me };
    });
    const next = { ...search, hits: [...hits, ...search.hits], before, busy: false };
    // The server limits the time of each search.
    return before && !ids.length ? look(state, next) : [{ ...state, search: next }, []];
  },

  error: (state, { key, code, text }, { next }) => {
    if (key !== SEARCH_KEY) return next();
    const { search } = state;
    return [search?.busy ? { ...state, search: { ...search, busy: false, refusal: { code, text } } } : state, []];
  },

  redacted: (state, { room, id, text }, { next }) => {
    const { search } = state;
    if (search?.room !== room) return next();
    const hits = search.hits.map((hit) => (hit.id === id ? { ...hit, text, isRemoved: true } : hit));
    return next({ ...state, search: { ...search, hits } });
  },
};

/** @type {Feature} */
export const searching = { events, frames };

/** @type {(state: State, search: Search) => Change} */
function look(state, search) {
  const { text, room, before } = search;
  return [{ ...state, search: { ...search, busy: true, refusal: null } }, [send({ type: "search", room, text, before, key: SEARCH_KEY })]];
}
