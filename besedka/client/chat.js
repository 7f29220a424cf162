// Besedka's page: puts the parts together.
//   state, room: what is known, and how it changes   protocol: the server's language   socket: the connection
//   storage: what the browser keeps   view: what is seen   more: what is not needed to come in and say something

import { DEFAULT_ROOM, placeOf, readPlace, roomName, socketUrls } from "./chat/protocol.js";
import { Socket } from "./chat/socket.js";
import { begin, here, step } from "./chat/state.js";
import { all, get, newKey, secret, set, unsent } from "./chat/storage.js";
import { Page } from "./chat/view/page.js";
import { language } from "./chat/words.js";

const access = `key.${new URL(".", location).pathname}`;
const fresh = `new${access}`; // takes its place when it has worked
const key = () => get(fresh) || get(access);
let tried = ""; // the last one
const { id, invite, ...place } = arrive();
const words = await language(navigator.languages);
let drawing = 0;
let kept = {}; // the rooms with what was taken up
let more = null; // being fetched, or there
let rest = null; // what it gives

const socket = new Socket(socketUrls(location), {
  frame: (frame) => happen({ type: "frame", frame, now: performance.now() }),
  open: () => {
    takeUp();
    happen({ type: "open" });
  },
  closed: (retryIn) => happen({ type: "closed", retryIn, now: performance.now() }),
  refused: (code) => {
    if (code === 4003 && tried === get(fresh)) set(fresh, "");
    if (code !== 4003 || tried === key()) return happen({ type: "shut", code });
    happen({ type: "closed", retryIn: 0, now: performance.now() });
    socket.open();
  },
  key: () => (tried = key()),
});
let state = begin(roomName(place.room) || DEFAULT_ROOM);

/** What the views may ask for. */
const on = {
  happen,
  enter: (name) => {
    happen({ type: "enter", name, secret: secret() });
    takeUp();
  },
  /** False: it is no message, and stays where it is. */
  say: (text) => (/^(\/|:q$)/.test(text) ? Boolean(rest?.command(text)) : speak(text)),
  hurry: () => socket.hurry(),
  draft: (room) => get(`draft.${room}`),
  keepDraft: (room, text) => set(`draft.${room}`, text),
  link: (room, id) => new URL(placeOf(room, id), location.href).href,
  around: () => rest,
  fetchMore,
};
const page = new Page(words, on);
const app = { happen, on, page, socket, speak, words, access, key: () => tried, unlock, state: () => state };

/** What the address says. What lets one in stands there no longer than it must. */
function arrive() {
  const said = readPlace(location.hash);
  if (location.hash.includes(";")) history.replaceState(null, "", placeOf(said.room, said.id));
  unlock(said.key);
  return said;
}

function unlock(key) {
  if (/^[\w.~+-]{16,}$/.test(key)) set(get(access) ? fresh : access, key);
}

function speak(text) {
  happen({ type: "say", text, key: newKey() });
  if (!here(state).isAtEnd) happen({ type: "jump", id: 0 });
  return true;
}

function takeUp() {
  happen({ type: "kept", unsent: unsent(state.me) });
  kept = state.rooms;
}

function happen(event) {
  const [next, effects] = step(state, event);
  state = next;
  for (const effect of effects) act(effect);
  rest?.changed(state);
  drawing ||= requestAnimationFrame(draw);
}

function act(effect) {
  switch (effect.do) {
    case "connect": return socket.open();
    case "disconnect": return socket.close();
    case "send": return socket.send(effect.frame);
    case "later": return setTimeout(() => happen(effect.event), effect.seconds * 1000);
    case "more": return rest || fetchMore().then(() => rest && happen(effect.event));
    case "remember":
      set("name", effect.name);
      takeUp();
      return fetchMore();
    default: return rest?.act(effect);
  }
}

async function fetchMore() {
  more ??= import("./chat/more.js").catch(() => (more = null)); // another time, then
  const module = await more;
  if (module) rest ??= new module.Around(app, kept);
}

function draw() {
  drawing = 0;
  page.draw(state);
}

const name = get("name");
happen({ type: "start", name, me: place.device ? name : place.name || name, rooms: Object.fromEntries(all("room")) });
if (invite) happen({ type: "invited", invite });
if (id) happen({ type: "jump", id });
if (place.device) happen({ type: "visit", ...place });
addEventListener("hashchange", () => happen({ type: "visit", ...arrive() }));
