// Besedka's page: puts the parts together. The parts:
//   protocol  pure: frames and log lines          state    pure: (state, event) -> state
//   socket    the connection, which comes back    storage  what the browser keeps
//   view/*    draw the state, and tell what a person did

import { roomFromHash, socketUrls } from "./chat/protocol.js";
import { begin, step } from "./chat/state.js";
import { Socket } from "./chat/socket.js";
import { remembered } from "./chat/storage.js";
import { language } from "./chat/words.js";
import { ComposerView } from "./chat/view/composer.js";
import { FrameView } from "./chat/view/frame.js";
import { LogView } from "./chat/view/log.js";
import { LoginView } from "./chat/view/login.js";

const words = language(navigator.languages);
let state = begin(roomFromHash(location.hash));
let drawing = 0;

const socket = new Socket(socketUrls(location), {
  frame: (frame) => happen({ type: "frame", frame, now: Date.now() }),
  open: () => happen({ type: "open" }),
  closed: (retryIn) => happen({ type: "closed", retryIn }),
  refused: (code) => happen({ type: "shut", code }),
});

// The frame comes first: it decides who can take the focus.
const views = [
  new FrameView(words, { leave }),
  new LoginView(words, { enter: (name) => happen({ type: "enter", name, secret: remembered.secret() }) }),
  new LogView(words, { older: () => happen({ type: "older" }) }),
  new ComposerView(words, {
    say: (text) => happen({ type: "say", text, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` }),
    typing: () => happen({ type: "typing" }),
  }),
];

function leave() {
  const n = state.outbox.length;
  if (!n || confirm(words.leaveUnsent(n))) happen({ type: "leave" });
}

function happen(event) {
  const [next, effects] = step(state, event);
  state = next;
  for (const effect of effects) act(effect);
  drawing ||= requestAnimationFrame(draw);
}

function act(effect) {
  switch (effect.do) {
    case "connect": return socket.open();
    case "disconnect": return socket.close();
    case "send": return socket.send(effect.frame);
    case "later": return setTimeout(() => happen(effect.event), effect.seconds * 1000);
    case "remember": return remembered.setName(effect.name);
  }
}

function draw() {
  drawing = 0;
  for (const view of views) view.draw(state);
}

// A page in the background is given no animation frames; what came meanwhile is drawn on return.
document.addEventListener("visibilitychange", () => document.hidden || (socket.hurry(), draw()));
addEventListener("online", () => socket.hurry());
addEventListener("hashchange", () => location.reload());

happen({ type: "start", name: remembered.name() });
