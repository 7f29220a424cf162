// One visit of the page, without a browser: events go in, what the page would send is kept.

import { features } from "../../besedka/client/chat/features.js";
import { core, createStep, here, newState } from "../../besedka/client/chat/state.js";

const step = createStep(core, ...features);

export class Visit {
  state;
  effects = [];
  now = 0;
  at = 1_700_000_000;

  constructor({ room, ...earlier } = {}) {
    this.state = newState(room);
    this.happen({ type: "start", name: "", ...earlier });
  }

  /** What was sent to the server, of one type or all. */
  sent(type) {
    const frames = this.effects.filter((effect) => effect.do === "send").map((effect) => effect.frame);
    return type ? frames.filter((frame) => frame.type === type) : frames;
  }

  get room() {
    return here(this.state);
  }

  get rows() {
    return this.room.rows;
  }

  happen(event) {
    const [state, effects] = step(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    return this;
  }

  tell(frame) {
    return this.happen({ type: "frame", now: this.now, at: this.at, frame: { room: this.state.current, ...frame } });
  }

  welcome(more = {}) {
    return this.tell({
      type: "welcome", user: this.state.me, head: 0, epoch: "e", clients_count: 1, users: [this.state.me],
      limits: { name: 32, room: 32, text: 5000, frame: 65536 }, utc_offset: 0, ...more,
    });
  }

  enter(name = "Anna") {
    return this.happen({ type: "logIn", name, secret: "s" });
  }

  /** Into the first room, which has `head` messages. */
  comeIn({ name = "Anna", head = 0, ...more } = {}) {
    return this.enter(name).happen({ type: "connected" }).welcome({ head, ...more });
  }

  chat(id, text = "x", { user = "Boris", ...more } = {}) {
    return this.tell({ type: "chat", id, user, text, timestamp: "12:00:00", at: 1_700_000_000, ...more });
  }

  /** Messages `first` to `last` by history. */
  history(first, last, more = {}) {
    const messages = [];
    for (let id = first; id <= last; id += 1) messages.push(`[2025-01-01 10:00:00] Boris: message ${id}`);
    return this.tell({ type: "history", first, messages, ...more });
  }

  /** Answer the last question for a page as the server does. */
  answer(extra = {}) {
    const { before, limit, room } = this.sent("history").at(-1);
    return this.history(Math.max(1, before - limit), before - 1, { before, room, ...extra });
  }

  say(text, key = text) {
    return this.happen({ type: "say", text, key });
  }

  lose() {
    return this.happen({ type: "disconnected", retryIn: 1, now: this.now });
  }
}

export const ids = (rows) => rows.map((row) => row.id);
export const texts = (rows) => rows.map((row) => row.text);
