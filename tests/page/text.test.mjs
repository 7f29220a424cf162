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

const cases = {
  "marks become what they mean": {
    "plain": "plain",
    "a **b** c": "a bold(b) c",
    "_a_ and _b c_": "italic(a) and italic(b c)",
    "**_a_ b**": "bold(italic(a) b)",
    "_a **b** c_": "italic(a bold(b) c)",
    "`a` and `b c`": "code(a) and code(b c)",
    "`**a**`": "code(**a**)",
    "*a* and *b c*, **d *e* f**": "italic(a) and italic(b c), bold(d italic(e) f)",
    "~~a b~~ and ~~**c**~~": "strike(a b) and strike(bold(c))",
  },
  "a mark without its partner is text": {
    "**": "**", "****": "****", "_": "_", "__": "__", "`": "`", "``": "``", "a ** b ** c": "a ** b ** c",
    "**a": "**a", "a**": "a**", "_a": "_a", "`a": "`a", "***a***": "***a***", "2 * 3 * 4": "2 * 3 * 4", "**a\nb**": "**a\nb**",
    "*": "*", "*a": "*a", "a*": "a*", "* a": "* a", "~~": "~~", "~~a": "~~a", "~~ a ~~": "~~ a ~~", "~~~a~~~": "~~~a~~~", "*a\nb*": "*a\nb*",
  },
  "no mark counts inside a word": {
    "snake_case_name": "snake_case_name", "__init__": "__init__", "f(**kw, **kw2)": "f(**kw, **kw2)", "_private _x": "_private _x",
    "имя_с_чертой": "имя_с_чертой", "2*3*4": "2*3*4", "f(*args, **kw)": "f(*args, **kw)", "a*b*c": "a*b*c",
  },
  "addresses are links, a sentence's own signs are not part of them": {
    "see https://a.example/x_y_z?q=1#f, or": "see link(https://a.example/x_y_z?q=1#f), or",
    "(https://a.example/b)": "(link(https://a.example/b))",
    "https://a.example/Foo_(bar)": "link(https://a.example/Foo_(bar))",
    "(https://a.example/Foo_(bar)).": "(link(https://a.example/Foo_(bar))).",
    "HTTP://A.example!?": "link(HTTP://A.example)!?",
    "http://[::1]:8765/x": "link(http://[::1]:8765/x)",
    "«https://a.example»": "«link(https://a.example)»",
    "**https://a.example**": "bold(link(https://a.example))",
    "<https://a.example>": "<link(https://a.example)>",
    "https://пример.example/путь": "link(https://пример.example/путь)",
    "www.a.example/b, or (www.c.example).": "link(www.a.example/b), or (link(www.c.example)).",
    "write to anna.k+x@mail.a.example.": "write to link(anna.k+x@mail.a.example).",
    "<anna@a.example>, «анна@почта.example»": "<link(anna@a.example)>, «link(анна@почта.example)»",
  },
  "nothing else is a link": {
    "javascript:alert(1)": "javascript:alert(1)", "xhttps://a.example": "xhttps://a.example", "https://": "https://",
    "https:// a": "https:// a", "ftp://a.example": "ftp://a.example", "data:text/html,x": "data:text/html,x",
    "www.": "www.", "awww.a.example": "awww.a.example", "x/www.a.example": "x/www.a.example", "anna@home": "anna@home", "@anna": "@anna", "a@b@c": "a@b@c",
    "`anna@a.example`": "code(anna@a.example)", "https://anna@a.example/b": "link(https://anna@a.example/b)",
    "`https://a.example`": "code(https://a.example)", "https://a\u202eb": "link(https://a)\u202eb",
  },
  "blocks keep what is in them": {
    "```\na **b**\n  c\n```": "block(a **b**\n  c)",
    "see\n```js\nlet a;\n```\nthere": "seeblock(let a;)there",
    "```a```": "block(a)",
    "```a": "```a", "``````": "``````", "``` ```": "``` ```",
    "```a``` b ```c": "block(a) b ```c",
  },
  "quotes are their own paragraphs": {
    "> a\n> **b**\nc": "quote(a\nbold(b))c",
    "a\n> b": "aquote(b)",
    ">\n> a": "quote(\na)",
    ">:(": ">:(", ">_<": ">_<", "a > b": "a > b",
    "> a\n\nb": "quote(a)\nb",
  },
};

for (const [name, texts] of Object.entries(cases)) {
  test(name, () => {
    for (const [text, tree] of Object.entries(texts)) assert.equal(shown(parse(text)), tree, text);
  });
}

test("a block knows its language", () => {
  assert.deepEqual(parse("```c++\nx\n```"), [{ kind: "block", text: "x", language: "c++" }]);
});

test("the user's name is marked, with or without @, but not inside words, code and links", () => {
  assert.equal(shown(parse("Anna, @anna and ANNA!", "Anna")), "mention(Anna), mention(@anna) and mention(ANNA)!");
  assert.equal(shown(parse("Annabel, Joanna `Anna` https://a.example/Anna", "Anna")), "Annabel, Joanna code(Anna) link(https://a.example/Anna)");
  assert.equal(shown(parse("**so C++!**", "C++")), "bold(so mention(C++)!)");
  assert.equal(shown(parse("Anna", "")), "Anna");
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
