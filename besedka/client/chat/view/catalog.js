// The views of the features: the name that markup and commands use, and the module.

export const MODULES = {
  about: "rooms/about",
  access_key: "access_key/view",
  announcer: "status/announcer",
  chat_link: "sharing/chat_link",
  completion: "writing/completion",
  device: "devices/view",
  drawer: "rooms/drawer",
  format: "messages/format",
  help: "help/view",
  hint: "status/hint",
  invite: "invitations/view",
  people: "people/view",
  person: "moderation/person",
  private_room: "rooms/private_room",
  reading: "reading/view",
  search: "search/view",
  sidebar: "rooms/sidebar",
  switcher: "rooms/switcher",
  toast: "status/toast",
  toolbar: "messages/toolbar",
  typing: "writing/typing",
};

/** The views that are fetched after the login; the others when they are opened. */
export const WITH_THE_CHAT = ["format", "reading", "sidebar", "hint", "announcer", "toolbar", "completion", "typing", "toast"];
