// A message as a line of the log. Pure.

/** The line that the log has for a message. @type {(message: {user?: string, text: string, day?: string, time?: string}) => string} */
export const toLogLine = ({ user, text, day, time }) =>
  day ? `[${day} ${time}] ${user}: ${text.replaceAll("\n", "\n\t")}` : text;
