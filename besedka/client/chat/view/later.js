// What is not needed before one can talk: fetched when one has come in, or when it is opened, with its words and style.

import { addRest } from "../words.js";

const WITH_THE_CHAT = ["dress", "reading", "side", "hint", "news", "tools", "complete", "note"];

export class Later {
  #words;
  #on;
  #state = {};
  #chat = document.getElementById("chat");
  #parts = new Map(); // name -> a promise of the part
  #views = []; // those that are there
  #rest; // a promise of the words and the style

  constructor(words, on) {
    this.#words = words;
    this.#on = { ...on, open: (...what) => this.open(...what) };
    document.addEventListener("click", ({ target }) => {
      const { open: name } = target.closest("[data-open]")?.dataset ?? {};
      if (name) this.open(name);
    });
    document.addEventListener("keydown", (event) => {
      if (event.code !== "KeyK" || !(event.ctrlKey || event.metaKey) || this.#state.scene !== "chat") return;
      event.preventDefault();
      this.open("switcher");
    });
  }

  draw(state) {
    const { scene, connection } = this.#state;
    this.#state = state;
    // What could not be fetched is tried again with the next connection.
    if (state.scene === "chat" && (scene !== "chat" || connection !== state.connection)) this.#getAll();
    // One must do something before one is let in.
    if (/access|kick|ban|known|link|device/.test(state.problem?.code)) this.#get("door");
    for (const view of this.#views) view.draw(state);
  }

  async open(name, about) {
    (await this.#get(name))?.open(this.#state, about);
  }

  async #getAll() {
    this.#chat.ariaBusy = true;
    await Promise.all(WITH_THE_CHAT.map((name) => this.#get(name)));
    this.#chat.ariaBusy = false;
  }

  #get(name) {
    if (!this.#parts.has(name)) this.#parts.set(name, this.#fetch(name).catch(() => this.#parts.delete(name) && null));
    return this.#parts.get(name);
  }

  async #fetch(name) {
    this.#rest ??= Promise.all([addRest(this.#words), style()]).catch((error) => {
      this.#rest = undefined;
      throw error;
    });
    const [{ View }] = await Promise.all([import(`./later/${name}.js`), this.#rest]);
    const view = new View(this.#words, this.#on);
    this.#views.push(view);
    view.draw(this.#state);
    return view;
  }
}

function style() {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "later.css" });
  document.head.append(link);
  return new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
}
