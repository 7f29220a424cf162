import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { COMMANDS, nearest, read } from "../../besedka/client/chat/commands.js";
import { vectors } from "./vectors.mjs";

const TERMINAL = new URL("../../besedka/terminal/commands.py", import.meta.url);
const TERMINALS_OWN = ["history", "edit", "clear"]; // one scrolls; the box grows; there is no screen to clear

test("words are said as they are", () => {
  for (const text of ["hello", " /help", "a /b", ":q now", "hello\n/help"]) assert.deepEqual(read(text), { say: text });
  assert.deepEqual(read("//help"), { say: "/help" });
  assert.deepEqual(read("//"), { say: "/" });
  for (const blank of ["", " ", "\n"]) assert.deepEqual(read(blank), {});
});

test("a command has a name, and what stands behind it", () => {
  const cases = { "/help": ["help", ""], "/HELP ": ["help", ""], "/join dev": ["join", "dev"], "/find  a b ": ["find", "a b"], "/quit": ["exit", ""], ":q": ["exit", ""], "/bell": ["bell", ""] };
  for (const [line, [name, argument]] of Object.entries(cases)) assert.deepEqual(read(line), { order: { name, argument } });
});

test("what one does is said as it is typed", () => {
  assert.deepEqual(read("/me  waves\nand goes"), { say: "/me waves\nand goes" });
});

test("a command that lacks something, or that there is not, is a mistake and is not said", () => {
  assert.deepEqual(read("/join "), { mistake: { code: "lacks", command: "join", usage: "ROOM" } });
  assert.deepEqual(read("/me"), { mistake: { code: "lacks", command: "me", usage: "TEXT" } });
  assert.deepEqual(read("/hlep me"), { mistake: { code: "unknown_command", word: "/hlep", near: "/help" } });
  assert.equal(read("/usr/share/doc").mistake.near, "");
});

test("the nearest word is the one that Python finds", () => {
  const { words, cases } = vectors("near");
  for (const { typed, near } of cases) assert.equal(nearest(typed, words), near, typed);
});

test("a long line that is no command is dealt with at once", () => {
  const begun = performance.now();
  read("/" + "ab".repeat(2500));
  assert.ok(performance.now() - begun < 100);
});

test("the terminal knows the same commands", { skip: !existsSync(TERMINAL) && "the terminal has none here" }, () => {
  const theirs = [...readFileSync(TERMINAL, "utf8").matchAll(/^ {4}Command\("(\w+)"/gm)].map(([, name]) => name);
  assert.deepEqual(theirs.filter((name) => !TERMINALS_OWN.includes(name)), COMMANDS.map(({ name }) => name));
});
