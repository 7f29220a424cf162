// The connection: comes back by itself, later and later, spread over time so that not all come back at once.

import { NEVER_COME_BACK } from "./protocol.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15000;

export class Socket {
  #urls;
  #on;
  #socket = null;
  #wanted = false;
  #found = false; // one of the addresses has answered before
  #tries = 0;
  #timer = 0;

  /** @param on what to call: frame(object), open(), closed(seconds until the next try), refused(close code) */
  constructor(urls, on) {
    this.#urls = urls;
    this.#on = on;
  }

  open() {
    this.#wanted = true;
    this.hurry();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** Try now rather than later, if there is no connection. */
  hurry() {
    if (!this.#wanted || this.#socket) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(this.#urls[0]);
    this.#socket = socket;
    socket.onopen = () => {
      this.#found = true;
      this.#tries = 0;
      this.#on.open();
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#on.frame(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (NEVER_COME_BACK.includes(code)) {
        this.#wanted = false;
        this.#on.refused(code);
        return;
      }
      // Until one address has answered, try them in turn.
      if (!this.#found) this.#urls.push(this.#urls.shift());
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries);
      const wait = this.#found || this.#tries ? longest * (0.5 + Math.random() / 2) : 0;
      this.#tries += 1;
      this.#timer = setTimeout(() => this.hurry(), wait);
      this.#on.closed(wait / 1000);
    };
  }
}
