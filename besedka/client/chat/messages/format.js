// Formats a row: texts become nodes, never HTML; long texts are folded; blocks of code have a button that copies them, failed messages
// the reason and buttons.

import { fragmentHere } from "../access_key/links.js";
import { inSentence } from "./naming.js";
import { action, isBigEmoji, parse } from "./text.js";
import { refusalText } from "../language.js";
import { copyFrom } from "../sharing/clipboard.js";
import { COPY, iconButton } from "../view/controls/icon.js";
import { line } from "../view/row.js";
import { unverifiedMark } from "./unverified.js";

const TAGS = { link: "a", code: "code", block: "pre", bold: "strong", italic: "em", strike: "s", quote: "blockquote", mention: "mark" };
const REMOVED = /^\[removed\]-*$/; // as the log has it (besedka/wire/log_line.py)
const LINE_CHARACTERS = 80; // about
const LINES_AT_MOST = 14; // more are folded to twelve
const NAMES_AT_MOST = 5;
const ARRIVING_AT_MOST = 3;

export class View {
  #strings;
  #actions;
  #isUsed = false;
  #arriving = []; // the new elements of this frame

  /** @param {Strings} strings @param {Actions} actions */
  constructor(strings, actions) {
    this.#strings = strings;
    this.#actions = actions;
    document.getElementById("rows").addEventListener("click", ({ target }) => this.#clicked(target));
  }

  /** @param {State} state */
  draw(state) {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.#actions.log.formatWith((...about) => this.#format(...about), state);
  }

  #format(element, row, { me, limits }) {
    if (row.live && !row.own) this.#animate(element);
    if (row.kind === "system") return (element.textContent = this.#notice(row));
    const text = element.querySelector(".text");
    const clock = element.querySelector("time");
    if (row.id) clock.title = `#${row.id} · ${row.day} ${row.time}`;
    const isRemoved = row.isRemoved || REMOVED.test(row.text);
    write(text, isRemoved ? { ...row, text: this.#strings.removed } : row, me, this.#strings);
    element.classList.toggle("removed", isRemoved);
    if (row.isUnverified) (text.querySelector("b") ?? element.querySelector(".name")).append(unverifiedMark(this.#strings));
    if (lines(row.text) > LINES_AT_MOST) {
      text.classList.add("folded");
      clock.before(button("unfold", this.#strings));
    }
    if (row.status !== "failed") return;
    const why = line("p", "why", refusalText(this.#strings, row.refusal, limits));
    clock.replaceWith(why, ...["retry", "discard"].map((act) => button(act, this.#strings, row.key)));
  }

  // A few arriving messages are animated; many would be too slow.
  #animate(element) {
    if (!this.#arriving.length) {
      queueMicrotask(() => {
        const arriving = this.#arriving.splice(0);
        if (arriving.length <= ARRIVING_AT_MOST) for (const element of arriving) element.classList.add("arriving");
      });
    }
    this.#arriving.push(element);
  }

  #notice({ joined, left, renamed = [], text }) {
    const { joined: came, left: went, renamed: became } = this.#strings;
    const changed = renamed.map(([old, name]) => became(this.#some([old]), this.#some([name])));
    const parts = [...changed, joined.length && came(this.#some(joined)), left.length && went(this.#some(left))];
    return parts.filter(Boolean).join(" · ") || text;
  }

  // Each name keeps its own direction.
  #some(names) {
    const shown = names.slice(0, NAMES_AT_MOST).map((name) => `\u2068${inSentence(name, this.#strings.quotes)}\u2069`);
    const rest = names.length - shown.length;
    return [...shown, ...(rest ? [this.#strings.more(rest)] : [])].join(", ");
  }

  #clicked(target) {
    const copying = target.closest(".copy-code");
    if (copying) return copyFrom(copying, copying.previousElementSibling.textContent, this.#strings);
    if (target.className === "unfold") {
      target.previousElementSibling.classList.remove("folded");
      target.remove();
    } else if (target.value) this.#actions.dispatch({ type: target.className, key: target.value });
  }
}

function write(element, { user, text }, me, strings) {
  const deed = action(text);
  element.classList.toggle("action", deed !== null);
  element.closest(".message").classList.toggle("deed", deed !== null);
  element.classList.toggle("big", isBigEmoji(text));
  element.replaceChildren(...(deed === null ? [] : [line("b", "", user), " "]), ...nodes(parse(deed ?? text, me), strings));
}

function nodes(tree, strings) {
  return tree.map(({ kind, text, href, nodes: inner }) => {
    if (kind === "text") return text;
    const element = document.createElement(TAGS[kind]);
    element.append(...(inner ? nodes(inner, strings) : [text]));
    if (kind === "block") return withButton(element, strings);
    return href ? Object.assign(element, anchor(href)) : element;
  });
}

function withButton(block, strings) {
  const element = line("div", "code", "");
  const button = iconButton(COPY, strings.copyCode);
  button.classList.add("copy-code");
  element.append(block, button);
  return element;
}

function anchor(href) {
  if (href.startsWith("mailto:")) return { href };
  const fragment = fragmentHere(href, location.href);
  return fragment ? { href: fragment } : { href, rel: "noopener noreferrer", target: "_blank" };
}

function button(act, strings, value = "") {
  return Object.assign(line("button", act, strings[act]), { type: "button", value });
}

function lines(text) {
  return text.split("\n").reduce((sum, line) => sum + Math.ceil(line.length / LINE_CHARACTERS || 1), 0);
}
