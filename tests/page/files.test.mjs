// The page as files: what the service worker keeps, and what imports what.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const CLIENT = fileURLToPath(new URL("../../besedka/client/", import.meta.url));

const read = (file) => readFileSync(join(CLIENT, file), "utf8");
const folder = readdirSync(CLIENT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(CLIENT, join(entry.parentPath ?? entry.path, entry.name)).replaceAll("\\", "/"));

function listed() {
  const scope = {};
  new Function("self", read("files.js"))(scope);
  return scope.BESEDKA_FILES;
}

/** A module and all that it imports at once. */
function withImports(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, other] of read(file).matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";/gm)) {
    withImports(normalize(join(dirname(file), other)), found);
  }
  return found;
}

test("the service worker keeps the whole folder", () => {
  const whole = folder.filter((file) => file !== "sw.js").map((file) => (file === "index.html" ? "./" : file));
  assert.deepEqual(listed().sort(), whole.sort());
});

test("every import exists", () => {
  for (const file of folder.filter((name) => name.startsWith("chat") && name.endsWith(".js"))) {
    for (const imported of withImports(file)) assert.ok(folder.includes(imported), `${file}: ${imported}`);
  }
});

test("the pure modules use no browser API", () => {
  const pure = folder.filter((name) => /^chat\/(.+\/state|protocol|room|state|messages\/(log_line|text)|search\/terms|sharing\/qr|writing\/(commands|emoji))\.js$/.test(name));
  assert.ok(pure.length > 12);
  for (const file of pure) {
    const code = read(file).replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(code, /\b(document|window|localStorage|navigator|setTimeout|fetch|Date\.now|Math\.random|addEventListener)\b/, file);
    for (const imported of withImports(file)) assert.ok(pure.includes(imported), `${file} imports ${imported}`);
  }
});

test("only views touch the DOM", () => {
  const views = /export class View |\/view\/|\/(unverified|clipboard|link_box)\.js$/m;
  for (const file of folder.filter((name) => name.endsWith(".js") && !views.test(`/${name}\n${read(name)}`))) {
    assert.doesNotMatch(read(file), /innerHTML|insertAdjacentHTML|outerHTML|document\.write|\beval\(|createElement/, file);
  }
});

test("imports go down only: no circle, the first wave knows no feature, rules know no view, and features.js alone lists the features", () => {
  const imports = new Map(folder.filter((name) => name.startsWith("chat") && name.endsWith(".js")).map((file) => {
    const found = [...read(file).matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";/gm)];
    return [file, found.map(([, other]) => normalize(join(dirname(file), other)))];
  }));
  const visit = (file, path = []) => {
    assert.ok(!path.includes(file), [...path, file].join(" -> "));
    for (const other of imports.get(file) ?? []) visit(other, [...path, file]);
  };
  for (const file of imports.keys()) visit(file);
  const isFeature = (file) => /^chat\/(?!view\/|language\/).+\//.test(file);
  for (const file of withImports("chat.js")) assert.ok(!isFeature(file), file);
  for (const [file, others] of imports) {
    const isRule = /\/state\.js$/.test(file);
    for (const other of others) {
      if (isRule) assert.doesNotMatch(other, /view|app\.js|storage|socket/, file);
      if (/(chat\.js|features\.js)$/.test(other)) assert.fail(`${file} imports ${other}`);
    }
  }
});
