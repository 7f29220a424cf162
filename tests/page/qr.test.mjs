import assert from "node:assert/strict";
import { test } from "node:test";

import { path, qr } from "../../besedka/client/chat/sharing/qr.js";
import { vectors } from "./vectors.mjs";

// Made by two other programs; each row is a number in hexadecimal, its bits the modules.
const known = vectors("qr");

const inHex = (code) => code.map((row) => BigInt(`0b${row.map(Number).join("")}`).toString(16));

test("codes equal those of two other programs with the same mask, for every version", () => {
  for (const { text, rows } of known) assert.deepEqual(inHex(qr(text)), rows, text);
  assert.equal(new Set(known.map(({ rows }) => rows.length)).size, 10);
});

test("a text that is too long has no code", () => {
  assert.equal(qr("a".repeat(213)).length, 57);
  assert.equal(qr("a".repeat(214)), null);
  assert.equal(qr("й".repeat(107)), null);
});

test("an SVG path has a square for each dark module", () => {
  assert.equal(path([[true, false], [false, true]]), "M0 0h1v1h-1zM1 1h1v1h-1z");
});
