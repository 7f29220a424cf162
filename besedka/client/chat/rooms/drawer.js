// The rooms on a phone: a drawer over the log.

export class View {
  #actions;
  #chat = document.getElementById("chat");
  #pane = document.getElementById("pane");
  #menu = document.getElementById("menu");
  #room = "";

  /** @param {Strings} _ @param {Actions} actions */
  constructor(_, actions) {
    this.#actions = actions;
    const close = () => this.#set(false);
    document.getElementById("veil").addEventListener("click", close);
    document.getElementById("side").addEventListener("keydown", ({ key }) => key === "Escape" && close());
    document.getElementById("rooms").addEventListener("click", close);
    matchMedia("(max-width: 48rem)").addEventListener("change", close);
  }

  open() {
    this.#actions.dispatch({ type: "listRooms" });
    this.#set(true);
    document.querySelector("#rooms a").focus();
  }

  /** @param {State} state */
  draw({ current, scene }) {
    if (current !== this.#room || scene !== "chat") this.#set(false);
    this.#room = current;
  }

  #set(isOpen) {
    if (this.#pane.inert === isOpen) return;
    this.#chat.toggleAttribute("data-drawer", isOpen);
    this.#pane.inert = isOpen;
    this.#menu.ariaExpanded = isOpen;
    if (!isOpen) this.#menu.focus();
  }
}
