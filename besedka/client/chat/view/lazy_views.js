// The views of the features: fetched after the login, or when they are opened, with their strings and style.

import { addFeatureStrings } from "../language.js";

export class LazyViews {
  #strings;
  #actions;
  #state = {};
  #chat = document.getElementById("chat");
  #views = new Map(); // name -> a promise of the view
  #shown = []; // the loaded views
  #resources; // a promise of the shared resources: catalog, strings, style

  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = { ...actions, open: (...about) => this.open(...about) };
    document.addEventListener("click", ({ target }) => {
      const { open: name } = target.closest("[data-open]")?.dataset ?? {};
      if (name) this.open(name);
    });
  }

  draw(state) {
    const { scene, connection } = this.#state;
    this.#state = state;
    // Failed fetches are tried again on the next connection.
    if (state.scene === "chat" && (scene !== "chat" || connection !== state.connection)) this.#fetchForChat();
    if (/access|kick|ban|known|link|device/.test(state.problem?.code)) this.#get("access_key");
    for (const view of this.#shown) view.draw(state);
  }

  async open(name, about) {
    (await this.#get(name))?.open(this.#state, about);
  }

  async #fetchForChat() {
    this.#chat.ariaBusy = "true";
    const [{ VIEWS }] = await this.#needs().catch(() => [{ VIEWS: {} }]);
    await Promise.all(Object.keys(VIEWS).map((name) => this.#get(name)));
    this.#chat.ariaBusy = "false";
  }

  #get(name) {
    if (!this.#views.has(name)) this.#views.set(name, this.#fetch(name).catch(() => this.#views.delete(name) && null));
    return this.#views.get(name);
  }

  async #fetch(name) {
    const [{ VIEWS, MODULES }] = await this.#needs();
    const View = VIEWS[name] ?? (await import(`../${MODULES[name]}.js`)).View;
    const view = new View(this.#strings, this.#actions);
    this.#shown.push(view);
    view.draw(this.#state);
    return view;
  }

  #needs() {
    this.#resources ??= Promise.all([this.#catalog(), addFeatureStrings(this.#strings), style()]).catch((error) => {
      this.#resources = undefined;
      throw error;
    });
    return this.#resources;
  }

  // Behind the features, which are fetched until they come: the views share modules with them.
  async #catalog() {
    await this.#actions.fetchFeatures();
    return import("./catalog.js");
  }
}

function style() {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "features.css" });
  document.head.append(link);
  return new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
}
