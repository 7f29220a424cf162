// The connection. It reconnects by itself, with growing random waits, so that clients do not all return at once.

import { NO_RECONNECT_CODES } from "./protocol.js";

export const FIRST_WAIT_MS = 1000;
export const LONGEST_WAIT_MS = 15_000;
const OPENING_MS = 10_000; // then the network has dropped it
const SILENT_MS = 5000; // then it may be dead
const ANSWER_MS = 3000;
const PROBE = { type: "rooms" }; // any request will do
const finalCodes = Object.values(NO_RECONNECT_CODES);

// Half of a surrogate pair is no text, and a frame with one no JSON: a program that cuts off an emoji leaves it.
const wellFormed = (_, value) => (typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\ufffd") : value);

/** A frame as it is sent. */
export const encode = (frame) => JSON.stringify(frame, wellFormed);

export class Socket {
  #urls;
  #language;
  #on;
  #socket = null;
  #isWanted = false;
  #isFound = false; // one of the addresses has answered
  #unanswered = 0; // of them in this round
  #tries = 0;
  #timer = 0; // for the next try, or for an answer
  #receivedAt = 0;

  /** @param language in which the server is to write @param on callbacks: frame(object), open(), closed(seconds until the next try), refused(close code), key(): the access key, if any */
  constructor(urls, language, on) {
    this.#urls = urls;
    this.#language = language;
    this.#on = on;
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      if (effectiveDirective === "connect-src" && this.#urls.length > 1) this.#forbidden();
    });
  }

  /** The address in use. */
  get url() {
    return this.#urls[0];
  }

  /** The subprotocols, which hold the page's language and the access key: a page cannot add headers. */
  protocols(key) {
    return ["besedka", `besedka.lang.${this.#language}`, ...(key ? [`besedka.key.${key}`] : [])];
  }

  open() {
    this.#isWanted = true;
    this.wake();
  }

  close() {
    this.#isWanted = false;
    this.#drop();
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encode(frame));
  }

  /** Connects at once; after some silence, probes whether the connection is alive. */
  wake() {
    if (!this.#isWanted) return;
    if (!this.#socket) this.#connect();
    else if (this.#socket.readyState === WebSocket.OPEN && Math.abs(Date.now() - this.#receivedAt) > SILENT_MS) {
      this.send(PROBE);
      this.#restartAfter(ANSWER_MS);
    }
  }

  /** Closes the connection, and reconnects after a while. */
  restart() {
    this.#drop();
    const wait = this.#nextWait();
    this.#timer = setTimeout(() => this.wake(), wait);
    this.#on.closed(wait / 1000);
  }

  #connect() {
    this.#drop();
    this.#restartAfter(OPENING_MS);
    let socket;
    try {
      socket = new WebSocket(this.#urls[0], this.protocols(this.#on.key()));
    } catch {
      return; // Firefox throws where the policy forbids the address; its event follows
    }
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#timer);
      this.#isFound = true;
      this.#receivedAt = Date.now();
      this.#on.open();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#timer);
      this.#tries = 0;
      this.#receivedAt = Date.now();
      this.#on.frame(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      if (!finalCodes.includes(code)) return this.restart();
      this.close();
      this.#on.refused(code);
    };
  }

  #restartAfter(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.restart(), ms);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  // Until one address has answered, all are tried before each wait.
  #nextWait() {
    if (!this.#isFound) {
      this.#urls.push(this.#urls.shift());
      this.#unanswered = (this.#unanswered + 1) % this.#urls.length;
      if (this.#unanswered) return 0;
    }
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries);
    this.#tries += 1;
    return longest * (0.1 + 0.9 * Math.random());
  }

  // The policy of a page that Besedka serves allows its own host and port only; this event is the only sign.
  #forbidden() {
    this.#urls.shift();
    this.#unanswered = 0;
    this.restart();
  }
}
