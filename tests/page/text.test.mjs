import assert from "node:assert/strict";
import { test } from "node:test";

import { inSentence } from "../../besedka/client/chat/messages/naming.js";
import { action, isBigEmoji, parse } from "../../besedka/client/chat/messages/text.js";
import { chance } from "./chance.mjs";
import { vectors } from "./vectors.mjs";

// A short way to write a tree: text as it is, others as kind(inside).
function shown(nodes) {
  return nodes.map(({ kind, text, nodes: inside }) => (kind === "text" ? text : `${kind}(${inside ? shown(inside) : text})`)).join("");
}

function flat(nodes) {
  return nodes.map(({ text, language, nodes: inside }) => (language ?? "") + (inside ? flat(inside) : text)).join("");
}

const { marks, mentions } = vectors("texts");

for (const [name, texts] of Object.entries(marks)) {
  test(name, () => {
    for (const [text, tree] of Object.entries(texts)) assert.equal(shown(parse(text)), tree, text);
  });
}

test("a block knows its language", () => {
  assert.deepEqual(parse("```c++\nx\n```"), [{ kind: "block", text: "x", language: "c++" }]);
});

test("the user's name is marked, with or without @, but not inside words, code and links", () => {
  for (const [text, me, tree] of mentions) assert.equal(shown(parse(text, me)), tree, text);
});

test("a few emoji alone are big", () => {
  for (const text of ["🙂", "👍🏽 🎉", "👩‍👩‍👧", "🇳🇴🇺🇦", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]) assert.ok(isBigEmoji(text), text);
  for (const text of ["", "a", "1", "#", "🙂 ok", "🙂".repeat(25), " ", "\u200d"]) assert.ok(!isBigEmoji(text), text);
});

test("/me is an action", () => {
  assert.equal(action("/me waves"), "waves");
  for (const text of ["/me", "/meows", " /me waves", "me"]) assert.equal(action(text), null);
});

test("nothing but marks is lost, in any text", () => {
  const { pick, number } = chance(7);
  const parts = ["*", "**", "_", "`", "```", "> ", ">", "\n", " ", "a", "Anna", "@", "https://a.b/", "(", ")", "[", "]", ".", "й", "🙂", "\u0000", "\ud800", "$&"];
  for (let round = 0; round < 4000; round += 1) {
    const text = Array.from({ length: number(40) }, () => pick(parts)).join("");
    const told = flat(parse(text, "Anna"));
    let place = 0;
    for (const character of text) {
      if (told.startsWith(character, place)) place += character.length;
      else assert.ok("*_`>\n ".includes(character), `${JSON.stringify(text)} has lost ${JSON.stringify(character)}`);
    }
    assert.equal(place, told.length, JSON.stringify(text));
  }
});

test("a link leads where its text says", () => {
  const href = (text) => parse(text).map(({ href }) => href)[0];
  assert.equal(href("www.a.example/b"), "https://www.a.example/b");
  assert.equal(href("WWW.a.example"), "https://WWW.a.example");
  assert.equal(href("anna@a.example"), "mailto:anna@a.example");
  assert.equal(href("http://a.example"), "http://a.example");
});

test("parsing is linear in the length of the text", () => {
  const units = [
    "*", "**", "_", "`", "[", "(", ")", "> ", "\n> ", "```", "**a ", "_a ", "`a", "a_", "_a_", "**a**", "https://a)", "https://a.b/(", "_a\n",
    "**a `b` _c ", "@Anna", "Anna_", "🙂", "http://", "` ` ", "_a**b", "**_", "_**", "a**", ".", "https://a" + ".".repeat(50),
  ];
  const long = (unit, length) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  for (const unit of units) {
    const begun = performance.now();
    parse(long(unit, 5000), "Anna");
    isBigEmoji(long(unit, 5000));
    const first = performance.now() - begun;
    assert.ok(first < 100, `${JSON.stringify(unit)}: ${first} ms`);
    // Twenty times as much takes about twenty times as long: not four hundred times.
    const again = performance.now();
    parse(long(unit, 100_000), "Anna");
    assert.ok(performance.now() - again < 1000, JSON.stringify(unit));
  }
});

test("a name that is more than a word stands in quotation marks in a sentence", () => {
  for (const [name, shown] of vectors("naming")) {
    assert.equal(inSentence(name, "“”"), shown);
    assert.equal(inSentence(name, "«»"), shown.replace("“", "«").replace("”", "»"));
  }
});
