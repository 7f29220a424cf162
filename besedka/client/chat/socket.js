// The connection: comes back by itself, later and later, spread by chance so that not all come back at once.

import { NEVER_COME_BACK } from "./protocol.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
const OPENING_MS = 10_000; // then the network has swallowed it
const SILENT_MS = 5000; // then, or if the clock was set, nobody knows whether it lives
const ANSWER_MS = 3000;
const PROBE = { type: "rooms" }; // is always answered

export class Socket {
  #urls;
  #on;
  #socket = null;
  #wanted = false;
  #found = false; // one of the addresses has answered before
  #unanswered = 0; // of them in this round
  #tries = 0;
  #timer = 0; // for the next try, or for what should be heard by then
  #heardAt = 0;

  /** @param on what to call: frame(object), open(), closed(seconds until the next try), refused(close code), key(): the access key, if one is known */
  constructor(urls, on) {
    this.#urls = urls;
    this.#on = on;
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      if (effectiveDirective === "connect-src" && this.#urls.length > 1) this.#forbidden();
    });
  }

  /** Where the chat is, as far as is known. */
  get url() {
    return this.#urls[0];
  }

  open() {
    this.#wanted = true;
    this.hurry();
  }

  close() {
    this.#wanted = false;
    this.#drop();
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** Try now rather than later; or, if nothing was heard for a while, see whether the connection still lives. */
  hurry() {
    if (!this.#wanted) return;
    if (!this.#socket) this.#connect();
    else if (this.#socket.readyState === WebSocket.OPEN && Math.abs(Date.now() - this.#heardAt) > SILENT_MS) {
      this.send(PROBE);
      this.#giveUpAfter(ANSWER_MS);
    }
  }

  #connect() {
    this.#drop();
    const key = this.#on.key();
    const socket = new WebSocket(this.#urls[0], key ? ["besedka", `besedka.key.${key}`] : []);
    this.#socket = socket;
    this.#giveUpAfter(OPENING_MS);
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#found = true;
      this.#heardAt = Date.now();
      this.#on.open();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#timer);
      this.#tries = 0;
      this.#heardAt = Date.now();
      this.#on.frame(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      if (!NEVER_COME_BACK.includes(code)) return this.#later();
      this.close();
      this.#on.refused(code);
    };
  }

  #giveUpAfter(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#later(), ms);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #later() {
    this.#drop();
    const wait = this.#nextWait();
    this.#timer = setTimeout(() => this.hurry(), wait);
    this.#on.closed(wait / 1000);
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
    this.#later();
  }
}
