// How a row shows what is in it: texts as nodes, never as HTML; long ones folded; why one failed, and what to do.

import { action, isBigEmoji, parse } from "../../text.js";
import { refusalText } from "../../words.js";
import { line } from "../row.js";
import { doubt } from "./doubt.js";

const TAGS = { link: "a", code: "code", block: "pre", bold: "strong", italic: "em", quote: "blockquote", mention: "mark" };
const REMOVED = /^\[removed\]-*$/; // as the log has it (besedka/wire/log_line.py)
const LINE_CHARACTERS = 80; // about
const LINES_AT_MOST = 14; // more are folded to twelve
const NAMES_AT_MOST = 5;

export class View {
  #words;
  #on;
  #isUsed = false;

  constructor(words, on) {
    this.#words = words;
    this.#on = on;
    document.getElementById("rows").addEventListener("click", ({ target }) => this.#clicked(target));
  }

  draw(state) {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.#on.log.dressBy((...what) => this.#dress(...what), state);
  }

  #dress(element, row, { me, limits }) {
    if (row.kind === "system") return (element.textContent = this.#comings(row));
    const text = element.querySelector(".text");
    const clock = element.querySelector("time");
    if (row.id) clock.title = `#${row.id} · ${row.day} ${row.time}`;
    const isRemoved = row.isRemoved || REMOVED.test(row.text);
    write(text, isRemoved ? { ...row, text: this.#words.removed } : row, me);
    element.classList.toggle("removed", isRemoved);
    if (row.isDoubtful) (text.querySelector("b") ?? element.querySelector(".name")).append(doubt(this.#words));
    if (lines(row.text) > LINES_AT_MOST) {
      text.classList.add("folded");
      clock.before(button("unfold", this.#words));
    }
    if (row.status !== "failed") return;
    const why = line("p", "why", refusalText(this.#words, row.refusal, limits));
    clock.replaceWith(why, ...["again", "discard"].map((act) => button(act, this.#words, row.key)));
  }

  #comings({ joined, left, text }) {
    const { joined: came, left: went } = this.#words;
    const told = [joined.length && came(this.#some(joined)), left.length && went(this.#some(left))];
    return told.filter(Boolean).join(" · ") || text;
  }

  // Each name keeps its own direction.
  #some(names) {
    const told = names.slice(0, NAMES_AT_MOST).map((name) => `\u2068${name}\u2069`);
    const rest = names.length - told.length;
    return [...told, ...(rest ? [this.#words.more(rest)] : [])].join(", ");
  }

  #clicked(target) {
    if (target.className === "unfold") {
      target.previousElementSibling.classList.remove("folded");
      target.remove();
    } else if (target.value) this.#on.happen({ type: target.className, key: target.value });
  }
}

function write(element, { user, text }, me) {
  const deed = action(text);
  element.classList.toggle("action", deed !== null);
  element.closest(".message").classList.toggle("deed", deed !== null);
  element.classList.toggle("big", isBigEmoji(text));
  element.replaceChildren(...(deed === null ? [] : [line("b", "", user), " "]), ...nodes(parse(deed ?? text, me)));
}

function nodes(tree) {
  return tree.map(({ kind, text, href, nodes: inner }) => {
    if (kind === "text") return text;
    const element = document.createElement(TAGS[kind]);
    element.append(...(inner ? nodes(inner) : [text]));
    return href ? Object.assign(element, { href, rel: "noopener noreferrer", target: "_blank" }) : element;
  });
}

function button(act, words, value = "") {
  return Object.assign(line("button", act, words[act]), { type: "button", value });
}

function lines(text) {
  return text.split("\n").reduce((sum, one) => sum + Math.ceil(one.length / LINE_CHARACTERS || 1), 0);
}
