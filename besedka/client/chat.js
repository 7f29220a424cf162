// Besedka's page: puts the parts together.

import { loadStrings } from "./chat/language.js";
import { FeatureLoader } from "./chat/loader.js";
import { applyPreferences, preferences } from "./chat/preferences.js";
import { DEFAULT_ROOM, isKey, NO_RECONNECT_CODES, fragmentOf, readFragment, roomName, socketUrls } from "./chat/protocol.js";
import { Socket } from "./chat/socket.js";
import { core, createStep, here, newState } from "./chat/state.js";
import { all, get, newKey, secret, set, unsent } from "./chat/storage.js";
import { Page } from "./chat/view/page.js";

const keyEntry = `key.${new URL(".", location.href).pathname}`;
const newKeyEntry = `new${keyEntry}`; // replaces it once it is accepted
const accessKey = () => get(newKeyEntry) || get(keyEntry);
let triedKey = ""; // on the last connection
const { id, invite, ...address } = readAddress();
applyPreferences();
const { language } = preferences();
const strings = await loadStrings(language === "auto" ? navigator.languages : [language, ...navigator.languages]);
let drawing = 0;
let restored = {}; // the rooms with stored outboxes
let app = null; // comes with the features
let step = createStep(core);

const socket = new Socket(socketUrls(location), strings.tag, {
  frame: (frame) => dispatch({ type: "frame", frame, now: performance.now(), at: Date.now() / 1000 }),
  open: () => {
    restore();
    dispatch({ type: "connected" });
  },
  closed: (retryIn) => dispatch({ type: "disconnected", retryIn, now: performance.now() }),
  refused: (code) => {
    const isKeyRefused = code === NO_RECONNECT_CODES.NO_ACCESS;
    if (isKeyRefused && triedKey === get(newKeyEntry)) set(newKeyEntry, "");
    if (!isKeyRefused || triedKey === accessKey()) return dispatch({ type: "connectionRefused", code });
    dispatch({ type: "disconnected", retryIn: 0, now: performance.now() });
    socket.open();
  },
  key: () => (triedKey = accessKey()),
});
const loader = new FeatureLoader(() => import("./chat/features.js"), start, () => socket.restart());
let state = newState(roomName(address.room) || DEFAULT_ROOM);

/** The actions of the views. */
const actions = {
  dispatch,
  logIn: (name) => {
    dispatch({ type: "logIn", name, secret: secret() });
    restore();
  },
  resume,
  /** False: the text was not used. */
  submit: (text) => (/^(\/|:q$)/.test(text) ? Boolean(app?.command(text)) : say(text)),
  draft: (room) => get(`draft.${room}`),
  keepDraft: (room, text) => set(`draft.${room}`, text),
  app: () => app,
  fetchFeatures: () => loader.fetch(),
};
const page = new Page(strings, actions);

/** Reads the address, and removes tokens from it at once. */
function readAddress() {
  const found = readFragment(location.hash);
  if (location.hash.includes(";")) history.replaceState(null, "", fragmentOf(found.room, found.id));
  keepKey(found.key);
  return found;
}

function keepKey(key) {
  if (isKey(key)) set(get(keyEntry) ? newKeyEntry : keyEntry, key);
}

function start({ App, features }, deferred) {
  step = createStep(core, ...features);
  const access = { keyEntry, newKeyEntry, key: () => triedKey, keepKey };
  app = new App({ dispatch, actions, page, socket, say, strings, access, state: () => state }, restored);
  deferred.forEach(dispatch);
}

function say(text) {
  dispatch({ type: "say", text, key: newKey() });
  if (!here(state).isAtEnd) app?.toLatest();
  return true;
}

// Logs in without the login card: a known user who has not left, or one whose new name the server accepts.
function resume(name) {
  dispatch({ type: "resume", name, secret: secret() });
  restore();
}

function restore() {
  dispatch({ type: "restore", unsent: unsent(state.me) });
  restored = state.rooms;
}

function dispatch(event) {
  const [next, effects] = step(state, event);
  state = next;
  for (const effect of effects) perform(effect);
  app?.changed(state);
  drawing ||= requestAnimationFrame(draw);
}

function perform(effect) {
  switch (effect.do) {
    case "connect": return socket.open();
    case "disconnect": return socket.close();
    case "send": return socket.send(effect.frame);
    case "schedule": return setTimeout(() => dispatch(effect.event), effect.seconds * 1000);
    case "defer": return app || loader.defer(effect.event);
    case "remember":
      set("name", effect.name);
      set("isOut", "");
      restore();
      return loader.fetch();
    default: return app?.perform(effect);
  }
}

function draw() {
  drawing = 0;
  page.draw(state);
}

const name = get("name");
dispatch({ type: "start", name, me: address.device ? name : address.name || name, rooms: Object.fromEntries(all("room")) });
if (invite) dispatch({ type: "invited", invite });
if (id) dispatch({ type: "jump", id });
if (address.device) dispatch({ type: "navigate", ...address });
else if (name && name === state.me && get("secret") && !get("isOut")) resume(name);
addEventListener("hashchange", () => dispatch({ type: "navigate", ...readAddress() }));
