// The wire format: log lines, names, fragments. Pure; the twin of besedka/wire/.

export const DEFAULT_ROOM = "main";
export const DEFAULT_PORT = 8765;

// Close codes after which the page does not reconnect (besedka/wire/close_codes.py).
export const NO_RECONNECT_CODES = {
  LEFT: 1000, PROTOCOL_ERROR: 1002, NOT_TEXT: 1007, FRAME_TOO_LONG: 1009, NO_ACCESS: 4003, KICKED: 4004, BANNED: 4005, UNKNOWN: 4006,
};

const LINE = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\] ([^\n]*?):(?: ([^]*)|(\n[^]*|))$/;
const ROOM = /^[\p{L}\p{N}]([\p{L}\p{N}_-]*[\p{L}\p{N}])?$/u;
export const ROOM_CHARACTERS_AT_MOST = 32;
const DAY_SECONDS = 86_400;

/** The message of a log line. @param {string} raw */
export function readLine(raw) {
  const found = LINE.exec(raw);
  if (!found) return { user: "", text: raw, day: "", time: "" };
  const [, day, time, user, text, rest] = found;
  return { user, text: (text ?? rest).replaceAll("\n\t", "\n"), day, time };
}

/**
 * The day, in the server's zone, of a moment in unix seconds, when it is `time` there: "YYYY-MM-DD". The offset of that zone may have
 * changed since it was asked for, and `at` may be hours off. @type {(at: number, utcOffset: number, time: string) => string}
 */
export function dayOf(at, utcOffset, time) {
  const [hours, minutes, seconds] = time.split(":").map(Number);
  const local = Math.floor(at) + utcOffset;
  const change = modulo(hours * 3600 + minutes * 60 + seconds - local + DAY_SECONDS / 2, DAY_SECONDS) - DAY_SECONDS / 2;
  return new Date((local + (change || 0)) * 1000).toISOString().slice(0, 10);
}

/** @type {(value: number, by: number) => number} */
const modulo = (value, by) => ((value % by) + by) % by;

/** Matches a name as whole words, with or without @. @type {(name: string, flags: string) => RegExp} */
export function namePattern(name, flags) {
  const escaped = name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])@?${escaped}(?![\\p{L}\\p{N}_])`, flags);
}

/** Whether a text mentions a name, in whatever case (besedka/wire/mentions.py). @type {(text: string, name: string) => boolean} */
export const mentions = (text, name) => Boolean(name) && namePattern(fold(name), "u").test(fold(text));

/** A room's name in the server's form; empty if invalid. @param {string} given */
export function roomName(given) {
  const name = fold(given.trim().replace(/^#/, "").normalize("NFKC")).normalize("NFC");
  return ROOM.test(name) && Array.from(name).length <= ROOM_CHARACTERS_AT_MOST ? name : "";
}

/** Case folding of Unicode, where toLowerCase() differs. @param {string} text */
const fold = (text) => text.toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");

/** Parses the URL fragment, with tokens; absent parts are empty (besedka/wire/links.py). @param {string} hash */
export function readFragment(hash) {
  const [path, ...tokens] = hash.replace(/^#/, "").split(";");
  const [, room = "", id = ""] = /^([^/]*)\/?(.*)/.exec(path) ?? [];
  /** @type {Fragment} */
  const found = { room: plain(room).trim(), id: /^[1-9]\d{0,14}$/.test(id) ? +id : 0, key: "", invite: "", name: "", device: "" };
  for (const token of tokens) {
    const [, name, value] = /^(key|invite|name|device)=(.*)/.exec(token) ?? [];
    if (name) Object.assign(found, { [name]: plain(value) });
  }
  return found;
}

/** @param {string} quoted */
function plain(quoted) {
  try {
    return decodeURIComponent(quoted);
  } catch {
    return ""; // not our link
  }
}

/** Whether this may be an access key (besedka/wire/access.py). @param {string} key */
export const isKey = (key) => /^[\w.~+-]{16,}$/.test(key);

/** The fragment of a room, or of a message in it. @type {(room: string, id?: number) => string} */
export const fragmentOf = (room, id) => `#${encodeURIComponent(room)}${id ? `/${id}` : ""}`;

/** The possible addresses of the chat: beside the page or, for a page from a file server, on port 8765. @param {Location | URL} location */
export function socketUrls({ protocol, hostname, href }) {
  const scheme = protocol === "https:" ? "wss:" : "ws:";
  const beside = new URL("ws", href);
  beside.protocol = scheme;
  beside.hash = beside.search = "";
  return [beside.href, `${scheme}//${hostname || "localhost"}:${DEFAULT_PORT}/ws`];
}
