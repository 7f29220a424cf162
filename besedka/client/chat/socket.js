// The connection: comes back by itself, later and later, spread over time so that not all come back at once.

import { NEVER_COME_BACK } from "./protocol.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15000;

export class Socket {
  #urls;
  #on;
  #socket = null;
  #wanted = false;
  #found = false; // one of the addresses has answered before
  #unanswered = 0; // addresses tried in this round
  #tries = 0;
  #timer = 0;

  /** @param on what to call: frame(object), open(), closed(seconds until the next try), refused(close code) */
  constructor(urls, on) {
    this.#urls = urls;
    this.#on = on;
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      if (effectiveDirective === "connect-src" && this.#urls.length > 1) this.#forbidden();
    });
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

  // Until one address has answered, all are tried in turn, and only then it waits.
  #nextWait() {
    if (!this.#found) {
      this.#urls.push(this.#urls.shift());
      this.#unanswered = (this.#unanswered + 1) % this.#urls.length;
      if (this.#unanswered) return 0;
    }
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries);
    this.#tries += 1;
    return longest * (0.1 + 0.9 * Math.random());
  }

  // A page that Besedka serves may talk to its own host and port only; the browser tells of it in no other way.
  #forbidden() {
    this.#urls.shift();
    this.#unanswered = 0;
    this.#socket = null;
    this.#later();
  }

  #later() {
    const wait = this.#nextWait();
    this.#timer = setTimeout(() => this.hurry(), wait);
    this.#on.closed(wait / 1000);
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
      this.#later();
    };
  }
}
