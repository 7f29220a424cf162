// Besedka's page: puts the parts together.
//   state, room: what is known, and how it changes   protocol: the server's language   socket: the connection
//   storage: what the browser keeps   view: what is seen   more: what is not needed to come in and say something

import { placeOf, readPlace, socketUrls } from "./chat/protocol.js";
import { Socket } from "./chat/socket.js";
import { begin, here, step } from "./chat/state.js";
import { all, get, secret, set, unsent } from "./chat/storage.js";
import { Page } from "./chat/view/page.js";
import { language } from "./chat/words.js";

const words = await language(navigator.languages);
const place = readPlace(location.hash);
let state = begin(place.room);
let drawing = 0;
let kept = {}; // the rooms with what was taken up
let more = null; // being fetched, or there
let rest = null; // what it gives

const socket = new Socket(socketUrls(location), {
  frame: (frame) => happen({ type: "frame", frame, now: Date.now() }),
  open: () => {
    takeUp();
    happen({ type: "open" });
  },
  closed: (retryIn) => happen({ type: "closed", retryIn, now: Date.now() }),
  refused: (code) => happen({ type: "shut", code }),
});

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
  historyUrl: (room) => new URL(`history.txt?room=${encodeURIComponent(room)}`, socket.url.replace("ws", "http")).href,
  askToNotify: () => rest?.askToNotify(),
  setSound: (isOn) => rest?.setSound(isOn),
};
const page = new Page(words, on);
const app = { happen, on, page, socket, speak, words, state: () => state };

function speak(text) {
  happen({ type: "say", text, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` });
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
    case "heard": return rest?.heard(effect.frame);
    case "more": return rest || fetchMore().then(() => rest && happen(effect.event));
    case "remember":
      set("name", effect.name);
      takeUp();
      fetchMore();
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

happen({ type: "start", name: get("name"), rooms: Object.fromEntries(all("room")) });
if (place.id) happen({ type: "jump", id: place.id });
