import assert from "node:assert/strict";
import { test } from "node:test";

import { beginningOf, parseTerms } from "../../besedka/client/chat/search/terms.js";
import { vectors } from "./vectors.mjs";
import { Visit } from "./visit.mjs";

test("Terms are told from words.", () => {
  const nothing = { text: "", user: "", since: "", until: "" };
  for (const [typed, expected] of vectors("search_terms")) {
    const { invalid, ...terms } = parseTerms(typed);
    assert.equal(invalid, expected.invalid ?? "", typed);
    if (!expected.invalid) assert.deepEqual(terms, { ...nothing, ...expected }, typed);
  }
});

test("A day begins at the midnight of the server, wherever the browser is.", () => {
  assert.equal(beginningOf("2026-11-01", 0), Date.UTC(2026, 10, 1) / 1000);
  assert.equal(beginningOf("2026-11-01", 3 * 3600), Date.UTC(2026, 9, 31, 21) / 1000);
  assert.equal(beginningOf("2026-12-31", 0, 1), Date.UTC(2027, 0, 1) / 1000);
  assert.equal(beginningOf("1970-01-01", 3600), 0);
});

test("All of the user's rooms are searched one after the other, and the hits are in the order of their times.", () => {
  const visit = new Visit().comeIn({ head: 2 }).happen({ type: "openRoom", name: "dev" });
  visit.welcome({ room: "dev", head: 9 });
  visit.happen({ type: "search", text: "from:Boris needle", isEverywhere: true });
  const found = (room, before, ...times) => visit.tell({
    type: "found", room, key: "search-1", text: "needle", before, ids: times.map((_, at) => at + 1), messages: times.map((time) => `[${time}] Boris: needle`),
  });
  const asked = () => visit.sent("search").map(({ room, before, user, text }) => [room, before, user, text]);
  assert.deepEqual(asked(), [["dev", 0, "Boris", "needle"]]);
  found("dev", 5, "2025-01-02 10:00:00");
  assert.deepEqual(asked()[1], ["main", 0, "Boris", "needle"]);
  assert.ok(visit.state.search.busy);
  found("main", 0, "2025-01-01 10:00:00", "2025-01-03 10:00:00");
  assert.ok(!visit.state.search.busy);
  assert.deepEqual(visit.state.search.hits.map(({ room, day }) => [room, day]), [["main", "2025-01-01"], ["dev", "2025-01-02"], ["main", "2025-01-03"]]);
  visit.happen({ type: "searchMore" });
  assert.deepEqual(asked().slice(2), [["dev", 5, "Boris", "needle"]], "only where there is more");
});

test("What should be a date, and is none, is not asked for.", () => {
  const visit = new Visit().comeIn({ head: 2 }).happen({ type: "search", text: "since:yesterday exam" });
  assert.deepEqual(visit.sent("search"), []);
  assert.deepEqual([visit.state.search.refusal, visit.state.search.busy], [{ code: "bad_date", date: "yesterday" }, undefined]);
});

test("A room that is left in mid-search is searched no more, and the others are.", () => {
  const visit = new Visit().comeIn({ head: 2 }).happen({ type: "openRoom", name: "dev" });
  visit.welcome({ room: "dev", head: 9 }).happen({ type: "search", text: "needle", isEverywhere: true });
  visit.tell({ type: "found", room: "dev", key: "search-1", text: "needle", before: 5, ids: [7], messages: ["[2025-01-01 10:00:00] Boris: needle"] });
  visit.tell({ type: "error", code: "not_joined", text: "no", room: "main", key: "search-1" });
  const { busy, refusal, hits, before } = visit.state.search;
  assert.deepEqual([busy, refusal, hits.length, before], [false, null, 1, { dev: 5 }]);
});
