// Completes names behind @ or by Tab, commands behind /, emoji behind a colon.

import { commandsFor, quoted } from "./commands.js";
import { here } from "../state.js";
import { line } from "../view/row.js";
import { Combobox } from "../view/controls/combobox.js";

const SHOWN_AT_MOST = 8;
const COMMAND = /^\/(\p{L}*)$/u;
const NAME = /(?<![\p{L}\p{N}])@([^\s@]*)$/u;
const RECIPIENT = /^\/(?:msg|uninvite|kick|mute|unmute|ban|unban) "?([^"]*)$/; // these take a bare name
const WORD = /(?<![\p{L}\p{N}_])([\p{L}\p{N}_]+)$/u;
const EMOJI = /(?<![\p{L}\p{N}:]):([a-z0-9_+-]{2,})(:?)$/u;

export class View {
  #strings;
  /** @type {State} */
  #state;
  #box = document.getElementById("say-text");
  #options;
  #length = 0; // of the text to replace

  /** @param {Strings} strings */
  constructor(strings) {
    this.#strings = strings;
    this.#options = new Combobox(this.#box, strings.suggestions, (value) => this.#put(value));
    this.#box.form.before(this.#options.list);
    this.#box.addEventListener("input", () => this.#look());
    this.#box.addEventListener("blur", () => this.#options.hide());
    // Before the box itself sees the key.
    this.#box.form.addEventListener("keydown", (event) => this.#pressed(event), true);
  }

  /** @param {State} state */
  draw(state) {
    if (state.current !== this.#state?.current) this.#options.hide();
    this.#state = state;
  }

  #pressed(event) {
    if (this.#options.press(event)) return;
    if (event.key === "Escape") this.#options.hide();
    const isTab = event.key === "Tab" && !event.shiftKey;
    const [typed, names] = isTab ? this.#nameHere() : [];
    if (!names?.length) return;
    event.preventDefault();
    this.#show(typed, names);
    if (names.length === 1) this.#put(names[0].value);
  }

  async #look() {
    const before = this.#before();
    const command = COMMAND.exec(before);
    const recipient = RECIPIENT.exec(before);
    const name = NAME.exec(before);
    const emoji = EMOJI.exec(before);
    if (command) this.#show(before, this.#commands(command[1]), before);
    else if (recipient) this.#show(.../** @type {[string, any[]]} */ (this.#nameHere()));
    else if (name) this.#show(name[0], this.#names(name[1]));
    else if (emoji) await this.#emoji(emoji, before);
    else this.#options.hide();
  }

  /** The typed part of a name, and its completions. @returns {[string?, {value: string, nodes: any[]}[]?]} */
  #nameHere() {
    const before = this.#before();
    const recipient = RECIPIENT.exec(before);
    if (recipient) return [before.slice(before.indexOf(" ") + 1), this.#names(recipient[1], quoted)];
    const found = WORD.exec(before);
    return found ? [found[0], this.#names(found[1])] : [];
  }

  // The text before the cursor.
  #before() {
    const { value, selectionStart, selectionEnd } = this.#box;
    return selectionStart === selectionEnd ? value.slice(0, selectionStart) : "";
  }

  #show(typed, options, before = this.#before()) {
    if (before !== this.#before()) return; // the user has gone on writing
    this.#length = typed.length;
    this.#options.show(options);
  }

  #put(value) {
    const { selectionStart: end } = this.#box;
    this.#options.hide();
    this.#box.setRangeText(`${value} `, end - this.#length, end, "end");
    this.#box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #names(typed, write = (name) => `@${name}`) {
    const { users, rows } = here(this.#state);
    const spoke = rows.filter(({ kind }) => kind === "message").map(({ user }) => user).reverse();
    const names = new Set([...spoke, ...users]);
    names.delete(this.#state.me);
    const wanted = typed.toLowerCase();
    const found = [...names].filter((name) => name.toLowerCase().startsWith(wanted) && name !== typed);
    return found.slice(0, SHOWN_AT_MOST).map((name) => ({ value: write(name), nodes: [name] }));
  }

  #commands(typed) {
    const found = commandsFor(here(this.#state).may).filter(({ name }) => name.startsWith(typed) && name !== typed);
    return found.map(({ name, usage }) => ({
      value: `/${name}`,
      nodes: [line("b", "", `/${name} `), usage ? this.#strings.usage(usage) : "", line("small", "quiet", this.#strings.commands[name])],
    }));
  }

  /** @param {RegExpExecArray} found @param {string} before */
  async #emoji([typed, start, isClosed], before) {
    const { find } = await import("./emoji.js");
    const found = find(start);
    const whole = isClosed && found.find(({ name }) => name === start);
    const options = isClosed ? [] : found.slice(0, SHOWN_AT_MOST);
    this.#show(typed, options.map(({ name, emoji }) => ({ value: emoji, nodes: [`${emoji} `, line("small", "quiet", name)] })), before);
    if (whole && before === this.#before()) this.#put(whole.emoji);
  }
}
