// What one takes with one. Pure.

/** The log's line of a message. */
export function lineOf({ user, text, day, time }) {
  return day ? `[${day} ${time}] ${user}: ${text.replaceAll("\n", "\n\t")}` : text;
}
