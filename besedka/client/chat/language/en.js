// The strings needed to log in and post; en.features.js has the others.

export const strings = {
  title: "Besedka",
  lead: "Chat without sign‑up: just enter your name.",
  yourName: "Your name",
  enter: "Join",
  entering: "Joining …",
  away: "No connection.",
  rooms: "Rooms",
  search: "Search",
  about: "About this room",
  log: "Messages",
  message: "Write a message …",
  send: "Send",
  people: (n) => (n === 1 ? "1 person" : `${n} people`),
  empty: "No messages here yet. Write the first one!",
  fresh: "New",
  today: "Today",
  yesterday: "Yesterday",
  refusals: {
    empty_name: () => "Please write your name.",
    bad_name: ({ name }) => `This name cannot be used: 1 to ${name} characters, without colons and invisible ones.`,
    name_reserved: () => "This name looks like the server's own. Please choose another.",
    name_taken: () => "Somebody here has this name, or one that looks like it. Please choose another.",
    name_claimed: () => "This name, or one like it, belongs to somebody else. Choose another; if it is yours, add this device on one where you use it.",
    closed: () => "The server closed the connection.",
  },
};
