// What a line that is typed means: words to be said, or one of the commands in the table. Pure.
// besedka/terminal/commands.py is its twin in Python.

/** `usage` is what follows: `NAME` is needed, `[NAME]` is not. */
export const COMMANDS = [
  { name: "help" },
  { name: "me", usage: "TEXT" },
  { name: "who" },
  { name: "rooms" },
  { name: "join", usage: "ROOM" },
  { name: "leave" },
  { name: "name", usage: "NAME" },
  { name: "find", usage: "WORDS" },
  { name: "bell", usage: "[on|off|all]" },
  { name: "exit", aliases: ["/quit", ":q"] },
];

const byWord = new Map(COMMANDS.flatMap((one) => [`/${one.name}`, ...(one.aliases ?? [])].map((word) => [word, one])));
const NEAR_ENOUGH = 0.5;

/**
 * What was typed: {say: text}, {order: {name, argument}}, or {mistake}, which is a refusal: `unknown_command` {word, near}
 * or `lacks` {command, usage}. Nothing, if it is blank.
 */
export function read(line) {
  const [first] = line.split(" ", 1);
  const word = first.trim().toLowerCase();
  const argument = line.slice(first.length).trim();
  const command = byWord.get(word);
  // `:q` in front of words is words.
  if (command && (word.startsWith("/") || !argument)) return order(command, argument);
  if (/^\/(?!\/)/.test(line)) return { mistake: { code: "unknown_command", word, near: nearest(word, [...byWord.keys()]) } };
  return line.trim() ? { say: line.replace(/^\//, "") } : {};
}

function order({ name, usage = "" }, argument) {
  if (usage && !usage.startsWith("[") && !argument) return { mistake: { code: "lacks", command: name, usage } };
  return name === "me" ? { say: `/me ${argument}` } : { order: { name, argument } };
}

/** The word that is most like another, by what they have in common (Ratcliff and Obershelp); empty if none is near. */
export function nearest(given, words) {
  const likeness = (word) => (2 * common(word, given)) / (word.length + given.length);
  const near = words.map((word) => [likeness(word), word]).filter(([like]) => like >= NEAR_ENOUGH);
  near.sort(([a, x], [b, y]) => b - a || (x < y ? 1 : -1));
  return near[0]?.[1] ?? "";
}

// How many characters of two words stand in the same order: their longest common piece, and what is beside it.
function common(one, other) {
  for (let length = Math.min(one.length, other.length); length; length -= 1) {
    for (let start = 0; start + length <= one.length; start += 1) {
      const place = other.indexOf(one.slice(start, start + length));
      if (place < 0) continue;
      const before = common(one.slice(0, start), other.slice(0, place));
      return length + before + common(one.slice(start + length), other.slice(place + length));
    }
  }
  return 0;
}
