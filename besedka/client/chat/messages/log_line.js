// A message as a line of the log. Pure.

/** The log line of a message. @type {(message: {user?: string, text: string, day?: string, time?: string}) => string} */
export const toLogLine = ({ user, text, day, time }) =>
  day ? `[${day} ${time}] ${user}: ${text.replaceAll("\n", "\n\t")}` : text;
