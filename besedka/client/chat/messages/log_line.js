// A message as a line of the log. Pure.

/**
 * The log line of a message; a ? follows an unverified name, as on the screen. No name ends with one.
 * @type {(message: {user?: string, text: string, day?: string, time?: string, isUnverified?: boolean}) => string}
 */
export const toLogLine = ({ user, text, day, time, isUnverified }) =>
  day ? `[${day} ${time}] ${user}${isUnverified ? "?" : ""}: ${text.replaceAll("\n", "\n\t")}` : text;
