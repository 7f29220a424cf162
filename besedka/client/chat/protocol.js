// The language of the server, pure: log lines, names, addresses. besedka/wire/ is its twin in Python.

export const DEFAULT_ROOM = "main";

// After these the server does not want us back (besedka/wire/close_codes.py).
export const NEVER_COME_BACK = [1000, 1002, 1007, 1009, 4003, 4004, 4005, 4006];

const LINE = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\] ([^\n]*?):(?: ([^]*)|(\n[^]*|))$/;
const ROOM = /^[\p{L}\p{N}]([\p{L}\p{N}_-]*[\p{L}\p{N}])?$/u;
const ROOM_CHARACTERS = 32;

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

/** Matches a name that stands in a text as a word or words of its own, a sign @ before it included. */
export function namePattern(name, flags) {
  const escaped = name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])@?${escaped}(?![\\p{L}\\p{N}_])`, flags);
}

/** Whether a text speaks to somebody, in whatever case (besedka/wire/mentions.py). */
export function mentions(text, name) {
  return Boolean(name) && namePattern(fold(name), "u").test(fold(text));
}

/** A room's name as the server uses it; empty if there cannot be such a room. */
export function roomName(given) {
  const name = fold(given.trim().replace(/^#/, "").normalize("NFKC")).normalize("NFC");
  return ROOM.test(name) && Array.from(name).length <= ROOM_CHARACTERS ? name : "";
}

// What Unicode calls case folding, as far as toLowerCase() does not do it.
function fold(text) {
  return text.toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");
}

/** What stands behind the # of an address, also what lets one in; what is not there is empty (besedka/wire/links.py). */
export function readPlace(hash) {
  const [place, ...said] = hash.replace(/^#/, "").split(";");
  const [, room, id] = /^([^/]*)\/?(.*)/.exec(place);
  const found = { room: plain(room).trim(), id: /^[1-9]\d{0,14}$/.test(id) ? +id : 0, key: "", invite: "", name: "", device: "" };
  for (const [, name, value] of said.map((one) => /^(key|invite|name|device)=(.*)/.exec(one) ?? [])) if (name) found[name] = plain(value);
  return found;
}

function plain(quoted) {
  try {
    return decodeURIComponent(quoted);
  } catch {
    return ""; // no address of ours
  }
}

/** The address of a room, or of a message in it. */
export function placeOf(room, id) {
  return `#${encodeURIComponent(room)}${id ? `/${id}` : ""}`;
}

/** Where the chat may be: beside the page, or, for a page from any file server, on port 8765. */
export function socketUrls(location) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const beside = new URL("ws", location.href);
  beside.protocol = scheme;
  beside.hash = "";
  beside.search = "";
  return [beside.href, `${scheme}//${location.hostname || "localhost"}:8765/ws`];
}
