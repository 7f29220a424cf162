import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { COMMANDS, commandsFor, mistypedTime, nameAndRest, nearest, quoted, read, request, secondsOf, unquoted } from "../../besedka/client/chat/writing/commands.js";
import { vectors } from "./vectors.mjs";

const TERMINAL = new URL("../../besedka/terminal/commands.py", import.meta.url);
// One scrolls; the box grows; there is no screen to clear; views have buttons; nobody is ignored on one device only.
const TERMINALS_OWN = ["history", "edit", "clear", "more", "waiting", "ignore", "unignore"];

test("a text without a command is a message", () => {
  for (const text of ["hello", " /help", "a /b", ":q now", "hello\n/help"]) assert.deepEqual(read(text), { say: text });
  assert.deepEqual(read("//help"), { say: "/help" });
  assert.deepEqual(read("//"), { say: "/" });
  for (const blank of ["", " ", "\n"]) assert.deepEqual(read(blank), {});
});

test("a command is read as its name and its argument", () => {
  const cases = { "/help": ["help", ""], "/HELP ": ["help", ""], "/join dev": ["join", "dev"], "/find  a b ": ["find", "a b"], "/quit": ["exit", ""], ":q": ["exit", ""], "/bell": ["bell", ""] };
  for (const [line, [name, argument]] of Object.entries(cases)) assert.deepEqual(read(line), { command: { name, argument } });
});

test("/me is posted as it was typed", () => {
  assert.deepEqual(read("/me  waves\nand goes"), { say: "/me waves\nand goes" });
});

test("an incomplete or unknown command is a mistake, and is not posted", () => {
  assert.deepEqual(read("/join "), { mistake: { code: "lacks", command: "join", usage: "ROOM" } });
  assert.deepEqual(read("/me"), { mistake: { code: "lacks", command: "me", usage: "TEXT" } });
  assert.deepEqual(read("/hlep me"), { mistake: { code: "unknown_command", word: "/hlep", near: "/help" } });
  assert.equal(read("/usr/share/doc").mistake.near, "");
});

test("commands become requests", () => {
  const ask = (line) => {
    const { command } = read(line);
    const { frame, say } = request(command.name, command.argument, "dev") || {};
    return say ? [frame, say] : frame;
  };
  const moderate = (act, more) => ({ type: "moderate", act, ...more });
  const cases = {
    "/private Plans": { type: "private", room: "Plans" },
    "/msg Boris": { type: "direct", user: "Boris" },
    "/msg Boris  two words": [{ type: "direct", user: "Boris" }, "two words"],
    '/msg "Anna Maria" hello': [{ type: "direct", user: "Anna Maria" }, "hello"],
    "/invite": { type: "invite", room: "dev" },
    "/invite 5 2h": { type: "invite", room: "dev", uses: 5, seconds: 7200 },
    "/invite 3d": { type: "invite", room: "dev", seconds: 259_200 },
    "/uninvite": { type: "uninvite", room: "dev" },
    "/uninvite Boris": { type: "uninvite", room: "dev", user: "Boris" },
    "/kick Boris 10m": moderate("kick", { user: "Boris", reason: "10m" }),
    "/mute Boris": moderate("mute", { user: "Boris", seconds: 0, reason: "" }),
    "/mute Boris 10m too loud": moderate("mute", { user: "Boris", seconds: 600, reason: "too loud" }),
    '/ban "Anna Maria" spam': moderate("ban", { user: "Anna Maria", seconds: 0, reason: "spam" }),
    "/unban Boris": moderate("unban", { user: "Boris" }),
    "/slow 30": moderate("slow", { room: "dev", seconds: 30 }),
    "/slow 0": moderate("slow", { room: "dev", seconds: 0 }),
    "/redact 17": moderate("redact", { room: "dev", id: 17 }),
  };
  for (const [line, asked] of Object.entries(cases)) assert.deepEqual(ask(line), asked, line);
  for (const line of ["/slow soon", "/redact x", "/redact 0", "/invite many", '/msg ""']) assert.equal(ask(line), undefined, line);
});

test("a name with blanks is typed in double quotes", () => {
  for (const name of ["Anna", "Anna Maria", "Пётр I"]) assert.deepEqual(nameAndRest(`${quoted(name)} and more`), [name, "and more"]);
  assert.deepEqual(nameAndRest('"Anna Maria'), ["Anna Maria", ""]);
});

test("names, times and mistyped times are read as the terminal does it", () => {
  const { names, mistyped, times } = vectors("commands");
  for (const { argument, name, rest } of names) assert.deepEqual(nameAndRest(argument), [name, rest], argument);
  for (const [rest, word] of Object.entries(mistyped)) assert.equal(mistypedTime(rest), word, rest);
  for (const [word, seconds] of Object.entries(times)) assert.equal(secondsOf(word), seconds, word);
});

test("commands that need a right are listed for its holders only", () => {
  const names = (may) => commandsFor(may).map(({ name }) => name);
  assert.ok(!names().includes("ban") && !names(["invite"]).includes("ban") && names(["moderate"]).includes("ban"));
  assert.deepEqual(names(["moderate"]), COMMANDS.map(({ name }) => name));
});

test("the nearest word is the one that Python finds", () => {
  const { words, cases } = vectors("near");
  for (const { typed, near } of cases) assert.equal(nearest(typed, words), near, typed);
});

test("a name that is the whole argument may stand in quotes", () => {
  assert.deepEqual(['"Anna Maria"', "Anna Maria", '"', 'Anna "x"'].map(unquoted), ["Anna Maria", "Anna Maria", '"', 'Anna "x"']);
});

test("a long unknown command is handled at once", () => {
  const begun = performance.now();
  read("/" + "ab".repeat(2500));
  assert.ok(performance.now() - begun < 100);
});

test("the terminal knows the same commands", { skip: !existsSync(TERMINAL) && "the terminal has none here" }, () => {
  const theirs = [...readFileSync(TERMINAL, "utf8").matchAll(/^ {4}CommandSpec\("(\w+)"/gm)].map(([, name]) => name);
  assert.deepEqual(theirs.filter((name) => !TERMINALS_OWN.includes(name)), COMMANDS.map(({ name }) => name));
});
