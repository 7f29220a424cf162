// Looking for words in all that was said in a room. Pure. Fetched when one first looks for something; adds itself to
// what state.js can do.

import { readLine } from "./protocol.js";
import { frames, handlers, send } from "./state.js";

const SEARCH_KEY = "search";
const { error } = frames;

Object.assign(handlers, {
  search: (state, { text }) => {
    const search = text.trim() && { text, room: state.current, hits: [], before: 0 };
    return search ? look({ ...state, search }) : [{ ...state, search: null }, []];
  },
  searchOn: (state) => (state.search?.before && !state.search.busy ? look(state) : [state, []]),
  searchNoMore: (state) => [{ ...state, search: null }, []],
});

frames.found = (state, { room, text, messages, ids, before, unverified, refusal }) => {
  const { search } = state;
  if (!search?.busy) return [state, []];
  if (refusal) return [{ ...state, search: { ...search, busy: false, refusal } }, []];
  if (text !== search.text || room !== search.room) return [state, []];
  const isDoubtful = (id, user) => Boolean(unverified?.includes(id)) && user !== state.me;
  const hits = ids.map((id, index) => {
    const message = readLine(messages[index]);
    return { id, ...message, isDoubtful: isDoubtful(id, message.user) };
  });
  const next = { ...state, search: { ...search, hits: [...hits, ...search.hits], before, busy: false } };
  // The server looks only so long at a time.
  return before && !ids.length ? look(next) : [next, []];
};

frames.error = (state, frame, now) => {
  const { key, code, text } = frame;
  return key === SEARCH_KEY ? frames.found(state, { refusal: { code, text } }) : error(state, frame, now);
};

function look(state) {
  const search = { ...state.search, busy: true, refusal: null };
  const { text, room, before } = search;
  return [{ ...state, search }, [send({ type: "search", room, text, before, key: SEARCH_KEY })]];
}
