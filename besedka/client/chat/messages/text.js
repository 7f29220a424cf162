// The text of a message as a tree of nodes. Pure; never throws; linear in the length of the text.
//
//   text {text}   code {text}   block {text, language}   link {text, href}   mention {text}: the user's name
//   bold {nodes}   italic {nodes}   strike {nodes}   quote {nodes}
//
// Only the marks are removed. A mark counts within its line only; without its partner it is text.

import { namePattern } from "../protocol.js";

const OPENING = new RegExp(
  [
    "`(?=[^`])",
    String.raw`\*\*(?=[^\s*])`,
    String.raw`(?<![\p{L}\p{N}_*])\*(?=[^\s*])`,
    String.raw`(?<![\p{L}\p{N}_])_(?=[^\s_])`,
    String.raw`~~(?=[^\s~])`,
    String.raw`(?<![\p{L}\p{N}])https?:\/\/(?=[\p{L}\p{N}[])`,
    String.raw`(?<![\p{L}\p{N}_./@-])www\.(?=[\p{L}\p{N}])`,
    String.raw`(?<![\p{L}\p{N}_.%+-])[\p{L}\p{N}_.%+-]{1,64}@(?=[\p{L}\p{N}])`,
  ].join("|"),
  "giu",
);
const CLOSING = {
  "`": /`/g,
  "**": /(?<=[^\s*])\*\*(?!\*)/g,
  "*": /(?<=[^\s*])\*(?![\p{L}\p{N}_*])/gu,
  _: /(?<=[^\s_])_(?![\p{L}\p{N}_])/gu,
  "~~": /(?<=[^\s~])~~(?!~)/g,
};
const KINDS = { "**": "bold", "*": "italic", _: "italic", "~~": "strike" };
const MAIL = /[\p{L}\p{N}_.%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/uy;
const LINK = /[^\s<>"`\p{Cc}\p{Cf}]+/uy;
const NOT_AT_THE_END = /[.,:;!?…'*_~»”’。，、！？」』]/;
const PAIRS = { ")": "(", "]": "[", "}": "{" };
const EMOJI = /^[\p{ExtPict}\p{RI}\p{EMod}\u200d\ufe0f\u20e3\u{e0020}-\u{e007f}\s]{1,24}$/u;

/** The tree of a text; `me` is marked where it is mentioned. */
export function parse(text, me = "") {
  const parts = text.split("```");
  if (parts.length % 2 === 0) parts.push(parts.splice(-2).join("```"));
  const nodes = [];
  const name = me && namePattern(me, "giu");
  parts.forEach((part, index) => {
    if (index % 2 === 0) {
      const lines = part.slice(index && part[0] === "\n" ? 1 : 0);
      paragraphs(nodes, index < parts.length - 1 ? lines.replace(/\n$/, "") : lines, name);
    } else if (part.trim()) {
      const [, language, code] = /^(?:([\w+#-]*)\n)?([^]*?)\n?$/.exec(part);
      nodes.push({ kind: "block", text: code, language: language ?? "" });
    } else addText(nodes, `\`\`\`${part}\`\`\``);
  });
  return nodes;
}

/** The action of a /me text (XEP-0245); else null. */
export function action(text) {
  return text.startsWith("/me ") ? text.slice(4) : null;
}

/** Whether a text is a few emoji and nothing else. */
export function isBigEmoji(text) {
  return EMOJI.test(text) && /\p{ExtPict}|\p{RI}/u.test(text);
}

function paragraphs(nodes, text, name) {
  let quote = null;
  text && text.split("\n").forEach((line, index) => {
    const isQuote = /^>( |$)/.test(line);
    const isNew = isQuote !== Boolean(quote);
    if (isQuote && !quote) nodes.push((quote = { kind: "quote", nodes: [] }));
    if (!isQuote) quote = null;
    const to = quote?.nodes ?? nodes;
    if (index && !isNew) addText(to, "\n");
    inline(to, isQuote ? line.slice(2) : line, name);
  });
}

function inline(nodes, line, name) {
  const missing = new Set(); // marks without a partner: each is searched for only once
  let done = 0;
  for (const { 0: mark, index } of line.matchAll(OPENING)) {
    if (index < done || missing.has(mark)) continue;
    const node = CLOSING[mark] ? span(line, mark, index, name) : mark.endsWith("@") ? mail(line, index) : link(line, index);
    if (!node) missing.add(mark);
    else {
      words(nodes, line.slice(done, index), name);
      nodes.push(node.node);
      done = node.end;
    }
  }
  words(nodes, line.slice(done), name);
}

function span(line, mark, index, name) {
  const closing = CLOSING[mark];
  closing.lastIndex = index + mark.length;
  const found = closing.exec(line);
  if (!found) return null;
  const text = line.slice(index + mark.length, found.index);
  const node = mark === "`" ? { kind: "code", text } : { kind: KINDS[mark], nodes: [] };
  if (node.nodes) inline(node.nodes, text, name);
  return { node, end: found.index + mark.length };
}

// Punctuation behind an address is not part of it, nor is a bracket that was opened before it.
function link(line, index) {
  LINK.lastIndex = index;
  const [found] = LINK.exec(line);
  const count = {};
  for (const character of found) count[character] = (count[character] ?? 0) + 1;
  let end = found.length;
  for (; end; end -= 1) {
    const last = found[end - 1];
    if (NOT_AT_THE_END.test(last)) continue;
    if (!PAIRS[last] || count[last] <= (count[PAIRS[last]] ?? 0)) break;
    count[last] -= 1;
  }
  const text = found.slice(0, end);
  return { node: { kind: "link", text, href: /^www\./i.test(text) ? `https://${text}` : text }, end: index + end };
}

function mail(line, index) {
  MAIL.lastIndex = index;
  const [text] = MAIL.exec(line) ?? [];
  return text ? { node: { kind: "link", text, href: `mailto:${text}` }, end: index + text.length } : null;
}

function words(nodes, text, name) {
  let done = 0;
  for (const { 0: mention, index } of name ? text.matchAll(name) : []) {
    addText(nodes, text.slice(done, index));
    nodes.push({ kind: "mention", text: mention });
    done = index + mention.length;
  }
  addText(nodes, text.slice(done));
}

function addText(nodes, text) {
  const last = nodes.at(-1);
  if (last?.kind === "text") last.text += text;
  else if (text) nodes.push({ kind: "text", text });
}
