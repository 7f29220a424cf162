// The language of the server, pure: log lines, frames that are sent, addresses. besedka/wire/ is its twin in Python.

export const DEFAULT_ROOM = "main";

// After these closes the server does not want us back (besedka/wire/closing.py).
export const NEVER_COME_BACK = [1000, 1002, 1007, 1009];

const LINE = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\] ([^\n]*?):(?: ([^]*)|(\n[^]*|))$/;

/** The message that stands in a log line: {user, text, day, time}. */
export function readLine(raw) {
  const found = LINE.exec(raw);
  if (!found) return { user: "", text: raw, day: "", time: "" };
  const [, day, time, user, text, rest] = found;
  return { user, text: (text ?? rest).replaceAll("\n\t", "\n"), day, time };
}

/** The day, in the server's zone, of a moment in unix seconds: "YYYY-MM-DD". */
export function dayOf(at, utcOffset) {
  return new Date((at + utcOffset) * 1000).toISOString().slice(0, 10);
}

/** Where the chat may be, most likely first: beside the page, or, for a page from any file server, on port 8765. */
export function socketUrls(location) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const beside = new URL("ws", location.href);
  beside.protocol = scheme;
  beside.hash = "";
  beside.search = "";
  return [beside.href, `${scheme}//${location.hostname || "localhost"}:8765/ws`];
}

/** The room that the address names: "#dev" is the room dev. */
export function roomFromHash(hash) {
  try {
    return decodeURIComponent(hash.replace(/^#/, "")).trim() || DEFAULT_ROOM;
  } catch {
    return DEFAULT_ROOM;
  }
}
