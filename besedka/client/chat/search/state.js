// Searching the logs of rooms: of the one on the screen, or of all that the user is in, one after the other. Pure.

import { readLine } from "../protocol.js";
import { send } from "../state.js";
import { beginningOf, parseTerms } from "./terms.js";

const SEARCH_KEY = "search-";

/** @type {Feature["events"]} */
const events = {
  search: (state, { text, isEverywhere = false }) => {
    if (!text.trim()) return [{ ...state, search: null }, []];
    const { current, rooms, searchCount = 0 } = state;
    const others = isEverywhere ? Object.keys(rooms).filter((name) => name !== current && rooms[name].isJoined) : [];
    const terms = parseTerms(text);
    const search = { text, terms, isEverywhere, rooms: [current, ...others], hits: [], before: {}, key: `${SEARCH_KEY}${searchCount + 1}` };
    const refusal = terms.invalid ? { code: "bad_date", date: terms.invalid } : null;
    const next = { ...state, searchCount: searchCount + 1 };
    return refusal ? [{ ...next, search: { ...search, rooms: [], refusal } }, []] : look(next, search);
  },
  searchMore: (state) => {
    const { search } = state;
    if (!search || search.busy) return [state, []];
    const rooms = Object.keys(search.before).filter((name) => search.before[name]);
    return rooms.length ? look(state, { ...search, rooms }) : [state, []];
  },
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
  found: (state, { room, key, messages, ids, before, unverified }) => {
    const { search, me } = state;
    if (!search?.busy || key !== search.key || room !== search.rooms[0]) return [state, []];
    const found = ids.map((id, index) => {
      const message = readLine(messages[index]);
      return { id, room, ...message, isUnverified: Boolean(unverified?.includes(id)) && message.user !== me };
    });
    // The server limits the time of each search.
    const rooms = before && !ids.length ? search.rooms : search.rooms.slice(1);
    const next = { ...search, hits: inOrder([...found, ...search.hits], search.isEverywhere), before: { ...search.before, [room]: before }, rooms };
    return rooms.length ? look(state, next) : [{ ...state, search: { ...next, busy: false } }, []];
  },

  error: (state, { key = "", code, text, room = "" }, { next }) => {
    if (!key.startsWith(SEARCH_KEY)) return next();
    const { search } = state;
    if (!search?.busy || key !== search.key) return [state, []];
    if (code === "not_joined" && search.isEverywhere) {
      // A room that was left meanwhile is none of the user's any more.
      const { [room]: _, ...before } = search.before;
      const rest = { ...search, before, rooms: search.rooms.filter((name) => name !== room) };
      return rest.rooms.length ? look(state, rest) : [{ ...state, search: { ...rest, busy: false } }, []];
    }
    return [{ ...state, search: { ...search, busy: false, rooms: [], refusal: { code, text } } }, []];
  },

  redacted: (state, { room, id, text }, { next }) => {
    const { search } = state;
    if (!search) return next();
    const hits = search.hits.map((hit) => (hit.id === id && hit.room === room ? { ...hit, text, isRemoved: true } : hit));
    return next({ ...state, search: { ...search, hits } });
  },
};

/** @type {Feature} */
export const searching = { events, frames };

// The first of its rooms is asked.
/** @type {(state: State, search: Search) => Change} */
function look(state, search) {
  const { rooms: [room], key, before, terms: { text, user, since, until } } = search;
  /** @type {ClientFrame} */
  const frame = { type: "search", room, before: before[room] ?? 0, key };
  if (text) frame.text = text;
  if (user) frame.user = user;
  if (since) frame.from_time = beginningOf(since, state.utcOffset);
  if (until) frame.to_time = beginningOf(until, state.utcOffset, 1);
  return [{ ...state, search: { ...search, busy: true, refusal: null } }, [send(frame)]];
}

// Of one room they are in the order of its log already, whatever its clock did.
/** @type {(hits: Search["hits"], isEverywhere: boolean) => Search["hits"]} */
function inOrder(hits, isEverywhere) {
  if (!isEverywhere) return hits;
  const at = (/** @type {Search["hits"][number]} */ { day, time }) => `${day} ${time}`;
  return hits.sort((one, other) => (at(one) < at(other) ? -1 : Number(at(one) > at(other))));
}
