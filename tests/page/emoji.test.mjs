import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { find } from "../../besedka/client/chat/writing/emoji.js";
import { isBigEmoji } from "../../besedka/client/chat/messages/text.js";

const all = [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => find(letter)).flat();

test("emoji are found by the beginning of a name, the exact name first, then by later parts of names", () => {
  assert.deepEqual(find("smile")[0], { name: "smile", emoji: "😄" });
  assert.deepEqual(find("x").map(({ name }) => name), ["x"]);
  assert.deepEqual(find("EVIL").map(({ name }) => name), ["see_no_evil", "hear_no_evil", "speak_no_evil"]);
  assert.deepEqual(find("nothing like this"), []);
  assert.equal(find("").length, 8);
});

test("every name is unique, and stands for an emoji", () => {
  const source = readFileSync(new URL("../../besedka/client/chat/writing/emoji.js", import.meta.url), "utf8");
  const pairs = source.split("`")[3].trim().split(/\s+/);
  const names = pairs.filter((_, index) => index % 2 === 0);
  assert.ok(names.length > 150);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[a-z_]+$/);
  assert.ok(all.every(({ emoji }) => isBigEmoji(emoji)));
});
