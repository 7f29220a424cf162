// The scene, the title and the bar above the log.

import { label, unread } from "../room.js";
import { here, unreadRooms } from "../state.js";
import { write } from "./row.js";

export class LayoutView {
  #strings;
  #root = document.documentElement;
  #login = document.getElementById("login");
  #chat = document.getElementById("chat");
  #room = document.getElementById("room");
  #people = document.getElementById("people");

  constructor(strings) {
    this.#strings = strings;
    this.#root.lang = strings.tag;
  }

  draw(state) {
    const isChat = state.scene === "chat";
    const room = here(state);
    const news = unreadRooms(state).reduce((sum, room) => sum + unread(room), 0);
    const { title, people } = this.#strings;
    const whole = isChat ? `${news ? `(${news}) ` : ""}${label(room)} · ${title}` : title;
    if (document.title !== whole) document.title = whole;
    this.#root.dataset.scene = state.scene;
    this.#chat.hidden = false;
    this.#chat.inert = !isChat;
    this.#login.inert = isChat;
    this.#chat.toggleAttribute("data-away", state.connection !== "open");
    write(this.#room, label(room));
    write(this.#people, people(room.count));
  }
}
