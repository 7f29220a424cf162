// Parses typed lines: messages, and the commands in the table. Pure.
// besedka/terminal/commands.py is its twin in Python.

/** `usage`: the arguments; `NAME` is needed, `[NAME]` is not. `may`: the right that the command needs. */
export const COMMANDS = [
  { name: "help" },
  { name: "me", usage: "TEXT" },
  { name: "who" },
  { name: "rooms" },
  { name: "join", usage: "ROOM" },
  { name: "leave" },
  { name: "private", usage: "ROOM" },
  { name: "msg", usage: "NAME [TEXT]" },
  { name: "block", usage: "[NAME]" },
  { name: "unblock", usage: "NAME" },
  { name: "invite", usage: "[USES] [TIME]" },
  { name: "uninvite", usage: "[NAME]" },
  { name: "name", usage: "NAME" },
  { name: "device" },
  { name: "goto", usage: "DATE" },
  { name: "find", usage: "WORDS" },
  { name: "bell", usage: "[on|off|all]" },
  { name: "kick", usage: "NAME [REASON]", may: "moderate" },
  { name: "mute", usage: "NAME [TIME] [REASON]", may: "moderate" },
  { name: "unmute", usage: "NAME", may: "moderate" },
  { name: "ban", usage: "NAME [TIME] [REASON]", may: "moderate" },
  { name: "unban", usage: "NAME", may: "moderate" },
  { name: "slow", usage: "SECONDS", may: "moderate" },
  { name: "redact", usage: "ID", may: "moderate" },
  { name: "exit", aliases: ["/quit", ":q"] },
];

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const byWord = new Map(COMMANDS.flatMap((command) => [`/${command.name}`, ...(command.aliases ?? [])].map((word) => [word, command])));
const NEAR_ENOUGH = 0.78;
const MISTYPED = /^\/\p{L}+$/u; // a path, /usr/bin, is no command

/**
 * Reads a typed line: {say: text}, {command: {name, argument}}, or {mistake}, a refusal: `unknown_command` {word, near}
 * or `lacks` {command, usage}. Nothing, if it is blank.
 */
export function read(line) {
  const [first] = line.split(" ", 1);
  const word = first.trim().toLowerCase();
  const argument = line.slice(first.length).trim();
  const command = byWord.get(word);
  // `:q` in front of other words is a message.
  if (command && (word.startsWith("/") || !argument)) return commandOf(command, argument);
  if (/^\/(?!\/)/.test(line)) return { mistake: { code: "unknown_command", word, near: nearest(word, [...byWord.keys()]) } };
  return line.trim() ? { say: line.replace(/^\//, "") } : {};
}

function commandOf({ name, usage = "" }, argument) {
  if (usage && !usage.startsWith("[") && !argument) return { mistake: { code: "lacks", command: name, usage } };
  return name === "me" ? { say: `/me ${argument}` } : { command: { name, argument } };
}

/** The commands of a user with these rights. */
export function commandsFor(may = []) {
  return COMMANDS.filter((command) => !command.may || may.includes(command.may));
}

/** A name, in double quotes if it has blanks, and what follows it: [name, rest]. */
export function nameAndRest(argument) {
  const [, quoted, word, rest] = /^(?:"([^"]*)"?|(\S+))\s*([^]*)$/.exec(argument) ?? [];
  return [quoted?.trim() ?? word ?? "", rest ?? ""];
}

/** A name that is the whole argument, without the double quotes in which it may stand. @type {(argument: string) => string} */
export const unquoted = (argument) => (/^".*"$/.test(argument) ? argument.slice(1, -1).trim() : argument);

/** A name as the argument of a command. */
export function quoted(name) {
  return /\s|^"/.test(name) ? `"${name}"` : name;
}

/** The seconds of a typed time: 30s, 10m, 2h, 3d, 1w; 0 if it is none (besedka/wire/durations.py). */
export function secondsOf(word) {
  const [, count, unit] = /^([1-9]\d{0,5})([smhdw])$/i.exec(word) ?? [];
  return count ? Number(count) * SECONDS[unit.toLowerCase()] : 0;
}

/** The first word, where a time may stand, if it begins with a digit and is no time, so that /ban Boris 1month is not for ever; else empty. */
export function mistypedTime(rest) {
  const [word] = rest.split(/\s/, 1);
  return /^\p{Nd}/u.test(word) && !secondsOf(word) ? word : "";
}

/** The request of a command, and the message to post with it: {frame, say}; nothing, if the command is malformed. */
export function request(name, argument, room) {
  const [user, rest] = nameAndRest(argument);
  const [word] = rest.split(/\s/, 1);
  const seconds = secondsOf(word);
  const reason = seconds ? rest.slice(word.length).trim() : rest;
  const moderate = (more) => ({ frame: { type: "moderate", act: name, ...more } });
  const isNumber = /^[1-9]\d{0,14}$/.test(argument);
  switch (name) {
    case "private": return { frame: { type: "private", room: argument } };
    case "msg": return user && { frame: { type: "direct", user }, say: rest };
    case "invite": return invitation(argument, room);
    case "uninvite": return { frame: { type: "uninvite", room, ...(user && { user }) } };
    case "kick": return user && moderate({ user, reason: rest });
    case "mute":
    case "ban": return user && moderate({ user, seconds, reason });
    case "unmute":
    case "unban": return user && moderate({ user });
    case "slow": return (/^(\d{1,6}|off)$/.test(argument) || secondsOf(argument)) && moderate({ room, seconds: secondsOf(argument) || Number(argument) || 0 });
    case "redact": return isNumber && moderate({ room, id: Number(argument) });
  }
}

function invitation(argument, room) {
  const frame = { type: "invite", room };
  for (const word of argument.split(/\s+/).filter(Boolean)) {
    if (/^[1-9]\d{0,3}$/.test(word)) frame.uses = Number(word);
    else if (secondsOf(word)) frame.seconds = secondsOf(word);
    else return null;
  }
  return { frame };
}

/** The word most similar to a mistyped one, with the same first letter (Ratcliff and Obershelp); empty if none is near: /nick is no /kick. */
export function nearest(given, words) {
  if (!MISTYPED.test(given)) return "";
  const likeness = (word) => (2 * common(word, given)) / (word.length + given.length);
  const like = words.filter((word) => word.slice(0, 2) === given.slice(0, 2));
  const near = like.map((word) => [likeness(word), word]).filter(([like]) => like >= NEAR_ENOUGH);
  near.sort(([a, x], [b, y]) => b - a || (x < y ? 1 : -1));
  return near[0]?.[1] ?? "";
}

// How many characters two words have in common, in order: in the longest common piece, and on both sides of it.
function common(one, other) {
  for (let length = Math.min(one.length, other.length); length; length -= 1) {
    for (let start = 0; start + length <= one.length; start += 1) {
      const index = other.indexOf(one.slice(start, start + length));
      if (index < 0) continue;
      const before = common(one.slice(0, start), other.slice(0, index));
      return length + before + common(one.slice(start + length), other.slice(index + length));
    }
  }
  return 0;
}
