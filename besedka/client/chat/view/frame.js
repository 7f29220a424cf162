// What stands around the talk: the scene, the bar with the room and the people, the fixed words of the page.

export class FrameView {
  #words;
  #root = document.documentElement;
  #chat = document.getElementById("chat");
  #login = document.getElementById("login");
  #room = document.getElementById("room");
  #people = document.getElementById("people");
  #count = document.getElementById("people-count");
  #list = document.getElementById("people-list");
  #users = null;

  constructor(words, on) {
    this.#words = words;
    this.#root.lang = words.tag;
    for (const element of document.querySelectorAll("[data-say]")) element.textContent = words[element.dataset.say];
    for (const element of document.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", words[element.dataset.label]);
    }
    document.getElementById("leave").addEventListener("click", on.leave);
    document.addEventListener("click", ({ target }) => this.#people.contains(target) || (this.#people.open = false));
    document.addEventListener("keydown", ({ key }) => key === "Escape" && (this.#people.open = false));
  }

  draw(state) {
    this.#chat.hidden = false;
    this.#root.dataset.scene = state.scene;
    this.#chat.inert = state.scene !== "chat";
    this.#login.inert = state.scene === "chat";
    this.#room.textContent = `# ${state.room}`;
    document.title = state.scene === "chat" ? `# ${state.room} · ${this.#words.title}` : this.#words.title;
    this.#count.textContent = this.#words.people(state.count);
    this.#chat.dataset.connection = state.connection === "open" ? "open" : "away";
    if (this.#users !== state.users) this.#drawPeople(state);
  }

  #drawPeople({ users, count, me }) {
    this.#users = users;
    const items = users.map((user) => this.#item(user === me ? `${user} (${this.#words.you})` : user));
    if (count > users.length && users.length) {
      const rest = this.#item(this.#words.morePeople(count - users.length));
      rest.className = "rest";
      items.push(rest);
    }
    this.#list.replaceChildren(...items);
  }

  #item(text) {
    const item = document.createElement("li");
    item.dir = "auto";
    item.textContent = text;
    return item;
  }
}
