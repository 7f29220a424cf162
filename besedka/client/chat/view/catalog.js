// The views of the features, by the names that markup and commands use.

import { View as Announcer } from "../status/announcer.js";
import { View as Completion } from "../writing/completion.js";
import { View as Copies } from "../copies/view.js";
import { View as Files } from "../writing/files.js";
import { View as Format } from "../messages/format.js";
import { View as Hint } from "../status/hint.js";
import { View as Reading } from "../reading/view.js";
import { View as Selection } from "../messages/selection.js";
import { View as Sidebar } from "../rooms/sidebar.js";
import { View as Toast } from "../status/toast.js";
import { View as Toolbar } from "../messages/toolbar.js";
import { View as Typing } from "../writing/typing.js";

/** Those that are there with the chat. */
export const VIEWS = {
  format: Format,
  reading: Reading,
  sidebar: Sidebar,
  copies: Copies,
  hint: Hint,
  announcer: Announcer,
  toolbar: Toolbar,
  selection: Selection,
  completion: Completion,
  typing: Typing,
  files: Files,
  toast: Toast,
};

/** The modules of those that are fetched when they are opened. */
export const MODULES = {
  about: "rooms/about",
  access_key: "access_key/view",
  chat_link: "sharing/chat_link",
  device: "devices/view",
  drawer: "rooms/drawer",
  help: "help/view",
  invite: "invitations/view",
  people: "people/view",
  person: "moderation/person",
  preferences: "preferences/view",
  private_room: "rooms/private_room",
  search: "search/view",
  switcher: "rooms/switcher",
};
